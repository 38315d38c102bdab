"""Metrics as they were written down: those that are numbers."""

from __future__ import annotations

from typing import Any


def figures(metrics: Any) -> dict[str, float]:
    """The numbers in `metrics` by name; empty if it is no mapping, as in a file broken by hand."""
    if not isinstance(metrics, dict):
        return {}
    return {
        str(name): float(value)
        for name, value in metrics.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
