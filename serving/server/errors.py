"""`StartError`: the server cannot start as it was asked to."""

from __future__ import annotations


class StartError(Exception):
    """Settings that cannot be used, or a port that is taken.

    The message is for the person who starts the server: what was received, what was expected, what
    to do. The process ends with exit code 2.
    """
