"""Statistics, schema and validation with TFX's own components."""
