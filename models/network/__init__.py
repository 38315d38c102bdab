"""Networks built from configuration."""
