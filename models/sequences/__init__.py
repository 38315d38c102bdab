"""Whole sequences: one window is one sequence, padded on the right inside a batch."""
