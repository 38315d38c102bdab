"""Measures of forecasts in NumPy."""
