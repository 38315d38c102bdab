"""The spans of `elman check` and `elman status`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from components.ingest.report import IngestReport
from components.spans.ingest import ingest_span
from components.spans.join import join_spans
from components.spans.listing import list_spans
from components.spans.plan import plan
from components.spans.reading import Terms
from components.spans.span import Span
from components.spans.state import Entry, SpanState
from components.spans.summary import (
    LISTED,
    BlockedSpan,
    SpansSummary,
    first_line,
    labeller,
    summary,
)
from models.errors import BadInputError
from models.section import Section
from pipeline.config import LoadedConfig
from pipeline.spans import look


def check_spans(loaded: LoadedConfig, folder: Path) -> tuple[IngestReport, SpansSummary]:
    """Ingests what is new in a temporary folder and joins all of it, as a run would.

    Args:
        loaded: A configuration with `data.spans`.
        folder: Gets the spans, and the joined Examples in `examples`.

    Raises:
        BadInputError: If there is no good span, or they cannot be used together.
    """
    config = loaded.forecast
    with look(loaded) as (source, now):
        state = now.state
        for span in now.todo:
            known = state.known(span.number)
            before = known.blocked if known is not None else None
            if before is not None and still_blocked(before, span, now.terms):
                state = state.noted(before.model_copy(update={"code": now.terms.code}))
                continue
            out = folder / f"span-{span.number}"
            taken = source.taken_in(span, folder / "incoming" / str(span.number))
            refusal = ""
            try:
                ingest_span(config.data, config.roles, taken, loaded.folder, out)
            except BadInputError as error:
                refusal = str(error)
            entry = Entry(
                span=span,
                settings=now.terms.settings,
                code=now.terms.code,
                schema_digest=now.terms.schema_digest,
                error=refusal,
                uri="" if refusal else str(out),
            )
            state = state.noted(entry)
        done = plan(config.data, source, state, now.terms)
    if not done.good:
        raise BadInputError("\n".join(e.error for e in done.blocked.values()))
    folders = [Path(entry.uri) for entry in done.good.values()]
    report = join_spans(config.data, config.split, config.roles, folders, folder / "examples")
    return report, summary(config.data, done, [span.number for span in now.todo])


def still_blocked(entry: Entry, span: Span, terms: Terms) -> bool:
    """Whether a span that a run blocked is the same still: its schema is not looked at here."""
    return (entry.span.version, entry.span.content, entry.settings, entry.schema_digest) == (
        span.version,
        span.content,
        terms.settings,
        terms.schema_digest,
    )


class SpansStatus(Section):
    """The spans as the last run left them, and what waits for the next one.

    Attributes:
        count: Good spans known.
        newest: The last of them; empty if there is none.
        ingested_by: The run that ingested the newest.
        blocked: Those blocked in their newest version, the first of them.
        missing: Between the first and the last of the range, there are none; the first of them.
        missing_count: How many these are.
        waiting: Spans that files are there for and no run has looked at; the first of them.
            Versions and rows that a growing source has got since are not looked for.
        waiting_count: How many these are.
    """

    count: int
    newest: str
    ingested_by: str
    blocked: tuple[BlockedSpan, ...]
    missing: tuple[str, ...]
    missing_count: int
    waiting: tuple[str, ...]
    waiting_count: int

    def lines(self) -> Iterator[str]:
        """The status for people."""
        if not self.count:
            yield "Spans: none was ingested yet"
        else:
            yield f"Spans: {self.count:,} good, the newest {self.newest} (run {self.ingested_by})"
        if self.waiting_count:
            yield f"  waiting for a run: {_some(self.waiting, self.waiting_count)}"
        if self.missing_count:
            yield f"  missing: {_some(self.missing, self.missing_count)}"
        for one in self.blocked:
            yield f"  blocked: {one.label}: {one.reason}"


def spans_status(loaded: LoadedConfig) -> SpansStatus:
    """The status of a configuration with `data.spans`; no data is read, only names of files.

    Raises:
        BadInputError: If a file fits the path and is no span.
    """
    data = loaded.forecast.data
    assert data.spans is not None
    state, label = SpanState.load(loaded.workspace, loaded.config.name), labeller(data)
    good = {int(n): k.good for n, k in state.spans.items() if k.good is not None}
    blocked = {int(n): k.blocked for n, k in state.spans.items() if k.blocked is not None}
    listed = (
        {}
        if data.path is None or data.spans.period is not None
        else list_spans(data.path, loaded.folder)
    )
    kept = data.spans.keep
    numbers = sorted({*good, *blocked, *listed})
    range_ = numbers if kept is None else numbers[-kept:]
    version = {n: entry.span.version for n, entry in (good | blocked).items()}
    waiting = [n for n in range_ if n in listed and (listed[n].version or 0) > version.get(n, -1)]
    missing = [n for n in range(range_[0], range_[-1]) if n not in range_] if range_ else []
    newest = good[max(good)] if good else None
    return SpansStatus(
        count=sum(n in good for n in range_),
        newest=newest.span.title if newest is not None else "",
        ingested_by=newest.run_id if newest is not None else "",
        blocked=tuple(
            BlockedSpan(label=blocked[n].span.title, reason=first_line(blocked[n].error))
            for n in range_
            if n in blocked
        )[:LISTED],
        missing=tuple(map(label, missing[:LISTED])),
        missing_count=len(missing),
        waiting=tuple(map(label, waiting[:LISTED])),
        waiting_count=len(waiting),
    )


def _some(names: tuple[str, ...], count: int) -> str:
    shown = ", ".join(names[:10])
    return shown if count <= 10 else f"{shown} and {count - 10:,} more"
