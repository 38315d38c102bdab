"""Textbook algorithms in plain NumPy: to be read, and to be what the tests compare with."""
