"""The key `task`, which decides what else a configuration holds."""

from __future__ import annotations

import difflib
from typing import Any

SEQUENCE_TASKS = ("classify", "tag", "next_step")
TASKS = ("forecast", *SEQUENCE_TASKS)


def known(value: Any) -> Any:
    """`value`, unless it is a text that names no task.

    Raises:
        ValueError: If it is, with the nearest task.
    """
    if isinstance(value, str) and value not in TASKS:
        near = difflib.get_close_matches(value, TASKS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"received {value!r}, expected one of: {', '.join(TASKS)}{hint}")
    return value
