"""`SpansSummary`: the spans of a run in a few words, for results, `elman check` and status."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from components.ingest.config import DataConfig
from components.spans.pattern import SpanPattern
from components.spans.period import Periods
from components.spans.plan import SpanPlan
from models.section import Section

LISTED = 20
"""Most spans that a summary names of a kind."""


class BlockedSpan(Section):
    """A span that is left out, and why, in a line."""

    label: str
    reason: str


class SpansSummary(Section):
    """The spans of a run.

    Attributes:
        count: Spans to train on.
        first: The first of these, as messages call it; empty if there is none.
        last: The last of these.
        new: Spans that are new or changed, the first of them.
        new_count: How many these are.
        blocked: Spans that are blocked in their newest version, the first of them.
        blocked_count: How many these are.
        missing: Spans between the first and the last that there are not, the first of them.
        missing_count: How many these are.
        gone: How many come from artifacts alone, as the source holds them no more.
    """

    count: int
    first: str
    last: str
    new: tuple[str, ...] = ()
    new_count: int = 0
    blocked: tuple[BlockedSpan, ...] = ()
    blocked_count: int = 0
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    gone: int = 0

    def unchanged(self) -> SpansSummary:
        """The same spans in a run that found nothing new."""
        return self.model_copy(update={"new": (), "new_count": 0})

    @property
    def words(self) -> str:
        """One line for people."""
        unit = "span" if self.count == 1 else "spans"
        parts = [f"{self.count:,} {unit}" + (f", {self.first} to {self.last}" * bool(self.count))]
        if self.new_count:
            parts.append(f"new: {_listed(self.new, self.new_count)}")
        if self.missing_count:
            parts.append(f"missing: {_listed(self.missing, self.missing_count)}")
        if self.gone:
            parts.append(f"{self.gone:,} whose source is gone, from earlier runs")
        if self.blocked_count:
            names = tuple(one.label for one in self.blocked)
            parts.append(f"blocked: {_listed(names, self.blocked_count)}")
        return "; ".join(parts)


def labeller(data: DataConfig) -> Callable[[int], str]:
    """What messages call a span of `data` by its number."""
    assert data.spans is not None
    if data.spans.period is not None:
        return Periods(data.spans.period).label
    assert data.path is not None
    return SpanPattern.parse(data.path).label


def summary(data: DataConfig, plan: SpanPlan, new: Sequence[int] = ()) -> SpansSummary:
    """The summary of a plan.

    Args:
        data: With `data.spans`.
        plan: Of a run, after its new spans were ingested, or before.
        new: Numbers of spans that were ingested by the run; those of `plan.todo` count too.
    """
    label = labeller(data)
    todo = {span.number for span in plan.todo}
    used = sorted({*plan.good, *todo})
    wanted = {span.number for span in plan.wanted}
    there = sorted(wanted)
    missing = [n for n in range(there[0], there[-1] + 1) if n not in wanted] if there else []
    fresh = sorted({*new, *todo})
    return SpansSummary(
        count=len(used),
        first=label(used[0]) if used else "",
        last=label(used[-1]) if used else "",
        new=tuple(map(label, fresh[:LISTED])),
        new_count=len(fresh),
        blocked=tuple(
            BlockedSpan(label=entry.span.title, reason=first_line(entry.error))
            for _, entry in sorted(plan.blocked.items())[:LISTED]
        ),
        blocked_count=len(plan.blocked),
        missing=tuple(map(label, missing[:LISTED])),
        missing_count=len(missing),
        gone=len(plan.gone),
    )


def first_line(error: str) -> str:
    """A message in one line: its first two, where the first only announces the second."""
    lines = [line.strip() for line in error.strip().splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):
        return f"{lines[0]} {lines[1]}"
    return lines[0] if lines else ""


def _listed(names: tuple[str, ...], count: int) -> str:
    shown = ", ".join(names[:5])
    return shown if count <= 5 else f"{shown} and {count - 5:,} more"
