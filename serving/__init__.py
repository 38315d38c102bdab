"""Serving pushed models; needs only TensorFlow."""
