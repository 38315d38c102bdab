"""What the protocols have in common: a request in arrays, an answer in arrays."""
