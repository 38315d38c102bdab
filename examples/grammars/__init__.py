"""Grammars that ask a network to remember, with the finite-state machine as judge."""
