"""Linear dynamical systems: Kalman filter, smoother and expectation maximisation in NumPy."""
