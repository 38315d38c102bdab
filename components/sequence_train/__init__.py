"""Training of a network over whole sequences, and its export."""
