"""Windows from Examples."""
