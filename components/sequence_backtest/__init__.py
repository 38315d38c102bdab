"""Backtest and gate of the tasks over whole sequences."""
