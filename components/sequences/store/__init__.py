"""The store of sequences, built from Examples."""
