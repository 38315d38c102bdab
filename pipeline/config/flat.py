"""Every value of a configuration under its dotted key, as text, for tracking."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from components.notify.config import shown
from components.secrets import redacted
from pipeline.config.loading import AnyConfig

_ABRIDGED: dict[str, Callable[[Any], str]] = {
    # The path of a webhook is often its secret, and so may be an argument of a program.
    "notify.webhook.url": shown,
    "notify.command.run": lambda run: json.dumps([run[0], *(["..."] if len(run) > 1 else [])]),
}


def flat(config: AnyConfig) -> dict[str, str]:
    """All values by dotted key (`train.clip.global_norm`), secrets masked.

    Text stands as it is, anything else as JSON: `null`, `true`, `0.001`, `["co2"]`.
    """
    found: dict[str, str] = {}

    def walk(value: Any, key: str) -> None:
        if key in _ABRIDGED and value is not None:
            found[key] = _ABRIDGED[key](value)
        elif isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, f"{key}.{name}" if key else name)
        elif isinstance(value, str):
            found[key] = redacted(value)
        else:
            found[key] = json.dumps(value)

    walk(config.model_dump(mode="json"), "")
    return found
