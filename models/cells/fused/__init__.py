"""Recurrent layers without Keras' loop: their arithmetic, forwards and backwards."""
