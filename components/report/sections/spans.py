"""The spans that a run was trained on."""

from __future__ import annotations

from components.report.page import ReportSection, Table
from components.report.words import count
from components.spans.summary import SpansSummary


def spans_section(spans: SpansSummary) -> ReportSection:
    """Which spans there are, which are new, which are missing or blocked."""
    more = spans.blocked_count - len(spans.blocked)
    title = f"Blocked spans ({count(more)} more are not listed)" if more else "Blocked spans"
    rows = tuple((one.label, one.reason) for one in spans.blocked)
    return ReportSection(
        "spans",
        "Spans",
        words=(f"{spans.words}.",),
        facts=(
            ("spans", count(spans.count)),
            ("new or changed", _named(spans.new, spans.new_count)),
            ("missing in between", _named(spans.missing, spans.missing_count)),
            ("no longer in the source", count(spans.gone)),
        ),
        tables=(Table(title, ("span", "why"), rows, left=2),),
    )


def _named(names: tuple[str, ...], number: int) -> str:
    if not number:
        return "none"
    rest = f" and {count(number - len(names))} more" if number > len(names) else ""
    return f"{count(number)}: {', '.join(names)}{rest}"
