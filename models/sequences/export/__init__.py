"""Sequence models as SavedModels: writing, reading, checking."""
