"""`SpanPlan`: which spans a run takes, which of them are new, and which are left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.ingest.config import DataConfig
from components.ingest.report import FILE
from components.spans.reading import Terms
from components.spans.source import SpanSource
from components.spans.span import Span
from components.spans.state import Entry, Known, SpanState
from models.errors import BadInputError


@dataclass(frozen=True)
class SpanPlan:
    """What a run does with the spans there are.

    Attributes:
        wanted: The range: all its spans, blocked ones too, as the source has them now.
        todo: New and changed spans of the range, to be ingested.
        good: By number, what to train on, or, while a newer version is blocked or to be
            ingested, the version before it.
        blocked: By number, spans of the range that are blocked and have not changed.
        gone: Numbers of spans that the source holds no more; they come from their artifacts.
        terms: What artifacts must have been made with.
        state: What is known.
    """

    wanted: tuple[Span, ...]
    todo: tuple[Span, ...]
    good: Mapping[int, Entry]
    blocked: Mapping[int, Entry]
    gone: tuple[int, ...]
    terms: Terms
    state: SpanState

    @property
    def fingerprint(self) -> str:
        """Digest of what the range holds now; before a run and after it the same."""
        # With another schema a blocked span may pass: that is something new.
        schema = self.terms.schema_digest
        parts = [
            [s.number, s.version, s.content, schema if s.number in self.blocked else ""]
            for s in self.wanted
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def plan(
    data: DataConfig,
    source: SpanSource,
    state: SpanState,
    terms: Terms,
    *,
    fresh: bool = False,
) -> SpanPlan:
    """What a run does now.

    Args:
        data: With `data.spans`.
        source: What the data holds.
        state: What is known from earlier runs.
        terms: Of this configuration and code.
        fresh: Whether to ingest every span again that the source still holds.

    Raises:
        BadInputError: If there is no span at all, or a file cannot be read.
    """
    assert data.spans is not None
    numbers = sorted({*source.there, *(n for n in state.numbers if _usable(state.known(n), terms))})
    if not numbers:
        what = f"data.path {data.path!r} matches no file" if data.path else "there are no rows"
        raise BadInputError(f"data.spans: there is no span; {what}")
    wanted: list[Span] = []
    todo: list[Span] = []
    good: dict[int, Entry] = {}
    blocked: dict[int, Entry] = {}
    gone: list[int] = []
    for number in numbers if data.spans.keep is None else numbers[-data.spans.keep :]:
        known, span = state.known(number) or Known(), source.span(number)
        kept = known.good if _usable(known, terms) else None
        if kept is not None:
            good[number] = kept
            if span is None or kept.span.version > span.version:
                gone.append(number)
                wanted.append(kept.span)
                continue
        assert span is not None
        wanted.append(span)
        if known.blocked is not None and _same(known.blocked, span):
            if fresh or _terms(known.blocked) != terms:
                todo.append(span)
            else:
                blocked[number] = known.blocked
        elif fresh or kept is None or not _same(kept, span) or kept.code != terms.code:
            todo.append(span)
    return SpanPlan(tuple(wanted), tuple(todo), good, blocked, tuple(gone), terms, state)


def _usable(known: Known | None, terms: Terms) -> bool:
    """Whether there is a good version that was read as the configuration says now."""
    good = known.good if known is not None else None
    return good is not None and good.settings == terms.settings and Path(good.uri, FILE).is_file()


def _same(entry: Entry, span: Span) -> bool:
    return (entry.span.version, entry.span.content) == (span.version, span.content)


def _terms(entry: Entry) -> Terms:
    return Terms(entry.settings, entry.code, entry.schema_digest)
