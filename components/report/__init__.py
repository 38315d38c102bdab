"""The report of a run: one page of HTML that needs nothing else, for people."""
