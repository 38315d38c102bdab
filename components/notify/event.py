"""`Event`: something about a run that a person should hear of, and `Context`: which run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

EventKind = Literal["failed", "blocked", "not_blessed", "promoted", "drift"]
KINDS: tuple[EventKind, ...] = get_args(EventKind)
FORMAT = 1


@dataclass(frozen=True)
class Event:
    """What happened.

    Attributes:
        kind: `failed` (the run could not be finished), `blocked` (its configuration or data was
            refused), `not_blessed` (no model was pushed), `promoted` (a model was pushed) or
            `drift` (data or errors have moved past a threshold).
        title: One line.
        text: All there is to say, plain text.
        fields: Further values for machines, any JSON.
    """

    kind: EventKind
    title: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """The run that an event belongs to.

    Attributes:
        pipeline: Name of the configuration.
        run_id: Id of the run.
        config: Absolute path of the configuration file.
        at: UTC time, ISO 8601.
        mlflow_uri: Tracking store, without secrets; empty where none was reached.
        mlflow_run_id: The parent run there.
    """

    pipeline: str
    run_id: str
    config: str
    at: str
    mlflow_uri: str = ""
    mlflow_run_id: str = ""


def payload(event: Event, context: Context) -> dict[str, Any]:
    """What a hook is given, as JSON values.

    Keys: `format` (1), `kind`, `title`, `text`, `fields`, `pipeline`, `run_id`, `config`, `at`,
    `mlflow_uri` and `mlflow_run_id`.
    """
    return {
        "format": FORMAT,
        "kind": event.kind,
        "title": event.title,
        "text": event.text,
        "fields": dict(event.fields),
        **vars(context),
    }
