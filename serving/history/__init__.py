"""A client's data frames: raw history in, forecasts out."""
