"""Digests of configurations: equal ones have equal digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from models.section import Section


def digest(section: Section) -> str:
    """32 hexadecimal digits of the canonical section."""
    return _short(section.canonical_json())


def digest_of_parts(config: Section, names: Iterable[str]) -> str:
    """32 hexadecimal digits of some sections of `config`, which are attributes of it."""
    parts = {name: getattr(config, name).model_dump(mode="json") for name in names}
    return _short(json.dumps(parts, sort_keys=True, separators=(",", ":")))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
