"""Hidden Markov models: recursions in NumPy and in TensorFlow, and how they are fitted."""
