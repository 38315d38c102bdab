"""Whole sequences: from tables to Examples, and from Examples to a store."""
