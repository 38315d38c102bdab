"""The name of a pipeline, which names folders, experiments and the served model."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def slug(value: str) -> str:
    """`value`, if it can be a name.

    Raises:
        ValueError: If it cannot, with one that can.
    """
    if not _NAME.fullmatch(value):
        better = re.sub(r"[^A-Za-z0-9_-]+", "-", value).strip("-_")[:63] or "my-forecast"
        raise ValueError(
            f"received {value!r}, expected letters, digits, _ and - (at most 63, a letter or "
            f"digit first), as it names folders and the served model; for example {better!r}"
        )
    return value
