"""Baselines of sequence tasks, fitted, scored on the test sequences and exported."""
