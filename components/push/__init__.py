"""Atomic push, retention and rollback."""
