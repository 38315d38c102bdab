"""Ninety nights of one pipeline, simulated on real data."""
