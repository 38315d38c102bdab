"""Baselines fitted and scored on the same windows."""
