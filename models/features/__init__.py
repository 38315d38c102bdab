"""What happens to values inside the graph: scaling, normalisation, calendar, vocabulary."""
