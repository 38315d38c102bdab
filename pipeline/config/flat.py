"""Every value of a configuration under its dotted key, as text, for tracking."""

from __future__ import annotations

import json
from typing import Any

from components.secrets import redacted
from pipeline.config.loading import AnyConfig


def flat(config: AnyConfig) -> dict[str, str]:
    """All values by dotted key (`train.clip.global_norm`), secrets masked.

    Text stands as it is, anything else as JSON: `null`, `true`, `0.001`, `["co2"]`.
    """
    found: dict[str, str] = {}

    def walk(value: Any, key: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, f"{key}.{name}" if key else name)
        elif isinstance(value, str):
            found[key] = redacted(value)
        else:
            found[key] = json.dumps(value)

    walk(config.model_dump(mode="json"), "")
    return found
