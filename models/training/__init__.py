"""Training loops, clipping, checkpoints."""
