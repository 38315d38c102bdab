"""Tells people how a run ended: a webhook and a command of their own."""
