"""Charts of the report: each module draws one thing and gives a `Chart`."""
