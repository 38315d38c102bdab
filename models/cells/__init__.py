"""Recurrent cells behind one small interface."""
