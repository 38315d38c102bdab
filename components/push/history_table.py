"""A history as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from components.push.history import History, Refused, Reign
from components.push.status import METRICS, NETWORK, SEQUENCE_METRICS


def lines(history: History, *, last: int | None = None) -> Iterator[str]:
    """One entry for each change of the champion and each refused candidate, oldest first.

    Args:
        history: What happened.
        last: Only so many of the newest entries; None: all.
    """
    entries: list[tuple[int, int, Iterable[str]]]
    entries = [(reign.since, 0, _reign(reign)) for reign in history.reigns]
    entries += [(refused.at, 1, _refusal(refused)) for refused in history.refused]
    entries += [
        (reign.until or reign.since, 2, [f"{_time(reign.until)}  nothing serves any more"])
        for reign in history.reigns
        if reign.ending == "removed"
    ]
    entries.sort(key=lambda entry: entry[:2])
    shown = entries if last is None else entries[-last:]
    if len(shown) < len(entries):
        yield f"({len(entries) - len(shown)} earlier ones are left out; --last shows more)"
    for _, _, words in shown:
        yield from words
    if not entries:
        yield f"No model has been pushed to {history.directory}, and no candidate was refused."
    elif history.live is None:
        yield "Nothing serves now."


def _reign(reign: Reign) -> Iterator[str]:
    model = "" if reign.model in ("", NETWORK) else f", the baseline {reign.model}"
    mark = "  (serves now)" if reign.until is None else f"  (for {_span(reign)})"
    yield f"{_time(reign.since)}  champion {reign.version}{model}{_scores(reign.metrics)}{mark}"
    if reign.returned:
        yield f"{'':19}  again, as {reign.before} was taken away"
        return
    if reign.before is not None:
        yield f"{'':19}  replaces {reign.before}"
    if reign.verdict:
        yield f"{'':19}  {reign.verdict}"


def _refusal(refused: Refused) -> Iterator[str]:
    yield f"{_time(refused.at)}  refused{_scores(refused.metrics)}"
    yield f"{'':19}  {refused.verdict}"


def _scores(metrics: Mapping[str, float]) -> str:
    names = [name for name in (*METRICS, *SEQUENCE_METRICS) if name in metrics]
    return "".join(f"  {name} {metrics[name]:.4g}" for name in names)


def _span(reign: Reign) -> str:
    seconds = max(0, (reign.until or reign.since) - reign.since)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= length or length == 1:
            count = seconds // length
            return f"{count} {unit}{'s' * (count != 1)}"
    raise AssertionError(seconds)


def _time(seconds: int | None) -> str:
    try:
        return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{'-':<19}"
