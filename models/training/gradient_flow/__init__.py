"""How far back in time the gradient of the loss reaches, measured while training."""
