"""The carried-state step of a forecaster for LiteRT."""
