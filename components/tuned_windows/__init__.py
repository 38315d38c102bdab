"""Windows of the lookback and stride that tuning has found."""
