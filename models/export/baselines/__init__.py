"""Baselines as SavedModels with the signatures of the network."""
