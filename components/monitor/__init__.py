"""Whether the champion still fits: drift of the data, skew of the requests, concept drift."""
