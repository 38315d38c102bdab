"""`Compile`: which steps XLA may compile. Needs no TensorFlow: configuration names it, too."""

from __future__ import annotations

from typing import Literal

Compile = Literal["never", "known", "always"]
"""No steps, those of a known number, or any."""
