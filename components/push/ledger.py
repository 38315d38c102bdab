"""`Ledger`: what happened in a model directory, beside it, for people and for version numbers.

What is live is never read from here: the directories alone decide that, as they do for a model
server.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from components.push.files import sync

NAME = ".history.json"
KEPT_EVENTS = 1000
EventKind = Literal["pushed", "retired", "rolled_back"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a version, at Unix seconds `at`."""

    kind: EventKind
    version: int
    digest: str
    at: int


@dataclass(frozen=True)
class Ledger:
    """The history of one model directory.

    Attributes:
        last_version: The highest version number ever given out, used or not.
        events: Oldest first, the last `KEPT_EVENTS`.
        refused: By digest, the event that rolled back the model; it is not pushed again unforced.
    """

    last_version: int = 0
    events: tuple[Event, ...] = ()
    refused: Mapping[str, Event] = field(default_factory=dict)

    def reserved(self, version: int) -> Ledger:
        """With `version` given out."""
        return replace(self, last_version=max(self.last_version, version))

    def with_event(self, event: Event) -> Ledger:
        """With `event` added; a push lifts a refusal, a rollback sets one."""
        refused = dict(self.refused)
        if event.kind == "pushed":
            refused.pop(event.digest, None)
        elif event.kind == "rolled_back":
            refused[event.digest] = event
        return replace(
            self.reserved(event.version),
            events=(*self.events, event)[-KEPT_EVENTS:],
            refused=refused,
        )

    def find(self, kind: EventKind, version: int) -> Event | None:
        """The last event of `kind` about `version`."""
        found = (e for e in reversed(self.events) if e.kind == kind and e.version == version)
        return next(found, None)

    def save(self, base: Path) -> None:
        """Replaces the ledger of `base` in one step."""
        text = json.dumps(
            {
                "format": 1,
                "last_version": self.last_version,
                "events": [vars(e) for e in self.events],
                "refused": {digest: vars(e) for digest, e in self.refused.items()},
            },
            indent=1,
        )
        temporary = base / f"{NAME}.{uuid.uuid4().hex}.tmp"
        try:
            temporary.write_text(text + "\n")
            sync(temporary)
            temporary.replace(base / NAME)
        finally:
            temporary.unlink(missing_ok=True)
        sync(base)

    @classmethod
    def load(cls, base: Path) -> Ledger | None:
        """The ledger of `base`; an empty one if there is none, None if it cannot be read."""
        try:
            data = json.loads((base / NAME).read_text())
            return cls(
                last_version=int(data["last_version"]),
                events=tuple(_event(e) for e in data["events"]),
                refused={str(k): _event(e) for k, e in data["refused"].items()},
            )
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


def _event(data: Any) -> Event:
    if data["kind"] not in ("pushed", "retired", "rolled_back"):
        raise ValueError(f"unknown event {data['kind']!r}")
    return Event(data["kind"], int(data["version"]), str(data["digest"]), int(data["at"]))
