"""Whether the nights were as they should be."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.quarter import feed

DEARER = 1.5
ANSWER = 10
"""Nights after the shift by which another model should be live."""
Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Finding:
    """What was looked at, and whether it was as it should be."""

    text: str
    met: bool


def judge(rows: Rows, runs: Mapping[str, int], *, whole: bool) -> list[Finding]:
    """All findings on the ledger; with `whole` those that need all nights too.

    Args:
        rows: The ledger.
        runs: How many runs the tracking server knows in the end, by status.
        whole: Whether these are all nights.
    """
    by = {row["night"]: row for row in rows}
    found = [*_nights(by), *_shift(by), *_tracked(rows, runs), *_errors(rows)]
    if whole:
        found += _cost(rows)
    return found


def _nights(by: dict[int, dict[str, Any]]) -> Iterator[Finding]:
    def new(night: int) -> int:
        return int((by[night].get("spans") or {}).get("new_count", 0))

    def blocked(night: int) -> int:
        return int((by[night].get("spans") or {}).get("blocked_count", 0))

    last = max(by)
    others = [n for n in by if n not in (feed.KILL,)]
    good = [n for n in others if by[n]["status"] in ("finished", "nothing_new")]
    yield Finding(f"{len(good)} of {len(others)} nights ended well", len(good) == len(others))
    if last > feed.LATE:
        yield Finding(
            f"night {feed.LATE}, late file: {by[feed.LATE]['status']}",
            by[feed.LATE]["status"] == "nothing_new",
        )
    if last >= feed.LATE + feed.LATE_BY:
        night = feed.LATE + feed.LATE_BY
        yield Finding(f"night {night}: {new(night)} spans ingested", new(night) == 2)
    if last >= feed.CORRECTED:
        text = f"night {feed.CORRECTED}, corrected file: {new(feed.CORRECTED)} spans ingested"
        yield Finding(text, new(feed.CORRECTED) == 2)
    if last >= feed.MENDED:
        yield Finding(
            f"night {feed.BROKEN}, another column: {blocked(feed.BROKEN)} span blocked, and "
            f"{blocked(feed.MENDED)} the night after",
            (blocked(feed.BROKEN), blocked(feed.MENDED)) == (1, 0),
        )
    if last > feed.KILL:
        night = feed.KILL + 1
        text = f"night {feed.KILL} was killed, night {night}: {by[night]['status']}"
        yield Finding(text, by[feed.KILL]["status"] == "failed")


def _shift(by: dict[int, dict[str, Any]]) -> Iterator[Finding]:
    if max(by) < feed.SHIFT + ANSWER:
        return
    after = range(feed.SHIFT, feed.SHIFT + ANSWER + 1)
    pushed = [night for night in after if by[night].get("pushed")]
    when = f"{pushed[0] - feed.SHIFT} nights later" if pushed else "never"
    yield Finding(f"night {feed.SHIFT}, level shift: another model is pushed {when}", bool(pushed))


def _tracked(rows: Rows, runs: Mapping[str, int]) -> Iterator[Finding]:
    wanted = sum(row["status"] != "nothing_new" for row in rows)
    counts = ", ".join(f"{count} {status.lower()}" for status, count in sorted(runs.items()))
    yield Finding(
        f"of {wanted} runs the tracking server knows, though away for one of them, {counts}",
        sum(runs.values()) == wanted and not runs.get("RUNNING"),
    )


def _errors(rows: Rows) -> Iterator[Finding]:
    judged = [row for row in rows if row.get("error") is not None and row["night"] != feed.MISSING]
    if not judged:
        yield Finding("no model was ever live", False)
        return
    error = statistics.fmean(row["error"] for row in judged)
    naive = statistics.fmean(row["naive"] for row in judged)
    yield Finding(
        f"mean error of the live model over {len(judged)} days {error:.3f}, of the seasonal "
        f"naive {naive:.3f}",
        error < naive,
    )
    weeks = [judged[i : i + 7] for i in range(0, len(judged) - 6, 7)]
    below = sum(
        statistics.fmean(r["error"] for r in week) < statistics.fmean(r["naive"] for r in week)
        for week in weeks
    )
    yield Finding(
        f"below it in {below} of {len(weeks)} weeks by themselves", below >= len(weeks) / 2
    )


def _cost(rows: Rows) -> Iterator[Finding]:
    for what, kind in (("held", "held"), ("with training", "trained")):
        early, late = (
            [
                row["seconds"]
                for row in rows
                if row.get(kind) and low <= row["night"] <= high and row["status"] == "finished"
            ]
            for low, high in ((3, 24), (69, 90))
        )
        if not early or not late:
            continue
        ratio = statistics.median(late) / statistics.median(early)
        yield Finding(
            f"nights {what}: median {statistics.median(early):.1f} s in nights 3 to 24, "
            f"{statistics.median(late):.1f} s in nights 69 to 90, {ratio:.2f} times (asked "
            f"{DEARER})",
            ratio <= DEARER,
        )
