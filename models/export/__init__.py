"""SavedModels: writing, reading, checking."""
