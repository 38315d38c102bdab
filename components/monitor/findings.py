"""Findings: one value each, held against its limit, and the sentence about several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from components.monitor.columns import ColumnBins
from components.monitor.distance import measure_of
from components.monitor.levels import level, rank
from components.monitor.report import Bins, Finding

Measure = Literal["jensen_shannon", "l_infinity", "ratio"]
NAMED = 5
"""Columns that a sentence names at most."""


def finding(
    subject: str,
    measure: Measure,
    value: float,
    threshold: float,
    inside: npt.NDArray[np.float64],
    bins: Bins | None = None,
) -> Finding:
    """A value with its limit.

    Args:
        subject: What was measured.
        measure: How.
        value: The value.
        threshold: Smallest value that counts.
        inside: The values of the same measure of ranges of the same length, `[ranges]`.
        bins: The distributions.
    """
    at = level(inside)
    limit = threshold if at is None else max(threshold, at)
    return Finding(
        subject=subject,
        measure=measure,
        value=value,
        threshold=threshold,
        level=at,
        ranges=len(inside) if at is not None else 0,
        rank=rank(value, inside),
        limit=limit,
        drifted=value > limit,
        bins=bins,
    )


def column_findings(
    columns: Mapping[str, ColumnBins],
    reference: Mapping[str, npt.NDArray[np.int64]],
    new: Mapping[str, npt.NDArray[np.int64]],
    distances: Mapping[str, float],
    inside: Mapping[str, npt.NDArray[np.float64]],
    threshold: float,
) -> tuple[Finding, ...]:
    """A finding for each column in `distances`, the largest excess over its limit first."""
    found = [
        finding(
            name,
            measure_of(columns[name]),
            value,
            threshold,
            inside[name],
            Bins(
                labels=columns[name].labels,
                reference=_shares(reference[name]),
                new=_shares(new[name]),
            ),
        )
        for name, value in distances.items()
    ]
    return tuple(sorted(found, key=lambda f: (f.limit - f.value, f.subject)))


def drift_sentence(what: str, findings: Sequence[Finding]) -> str:
    """Words for the columns that drifted; empty if none did."""
    drifted = [f for f in findings if f.drifted]
    if not drifted:
        return ""
    named = [f"{f.subject} ({f.value:.2f}, limit {f.limit:.2f})" for f in drifted[:NAMED]]
    more = f" and {len(drifted) - NAMED} more" if len(drifted) > NAMED else ""
    return f"{what} differ from the training rows in {', '.join(named)}{more}"


def iso(seconds: int) -> str:
    """ISO 8601 UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shares(counts: npt.NDArray[np.int64]) -> tuple[float, ...]:
    return tuple((counts / max(1, int(counts.sum()))).round(6).tolist())
