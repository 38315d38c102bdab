"""Tracking: what components report while they run, and where MLflow keeps it."""
