"""Values as KerasTuner holds them: numbers as they are, anything else as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

INTERNAL = "tuner/"
"""What Hyperband's own entries among the values begin with: epochs, bracket, round."""


def encoded(choices: tuple[Any, ...]) -> list[Any]:
    """Choices of one type, as KerasTuner wants them.

    All numbers stay numbers (in an order that means something to the Gaussian process); otherwise
    every choice is text: a word as it is, anything else as JSON.
    """
    if all(type(choice) is int for choice in choices):
        return list(choices)
    if all(type(choice) in (int, float) for choice in choices):
        return [float(choice) for choice in choices]
    return [_text(choice) for choice in choices]


def decoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """What KerasTuner chose, as it would stand in the configuration; its own entries left out."""
    return {key: _plain(v) for key, v in values.items() if not key.startswith(INTERNAL)}


def _text(value: Any) -> str:
    if isinstance(value, str) and _plain(value) == value:
        return value
    return json.dumps(value)


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        # NumPy's numbers are Python's from here on.
        return value.item() if hasattr(value, "item") else value
    try:
        return json.loads(value)
    except ValueError:
        return value
