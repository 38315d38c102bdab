"""Digests of configurations: equal ones have equal digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from models.section import Section

NO_PART_OF_THE_WORK = ("notify", "schedule")
"""Sections at the top that no result depends on: a change of them is no reason for a run."""


def digest(section: Section) -> str:
    """32 hexadecimal digits of the canonical section, without `NO_PART_OF_THE_WORK`."""
    data = section.model_dump(mode="json")
    for name in NO_PART_OF_THE_WORK:
        data.pop(name, None)
    return _short(json.dumps(data, sort_keys=True, separators=(",", ":")))


def digest_of_parts(config: Section, names: Iterable[str]) -> str:
    """32 hexadecimal digits of some sections of `config`, which are attributes of it."""
    parts = {name: getattr(config, name).model_dump(mode="json") for name in names}
    # Which spans are taken shows in the data; what becomes of blocked ones trains no other model.
    parts.get("data", {}).pop("spans", None)
    return _short(json.dumps(parts, sort_keys=True, separators=(",", ":")))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
