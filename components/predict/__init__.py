"""Batch prediction: forecasts for every series of an input file."""
