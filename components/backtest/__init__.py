"""Backtest and gate."""
