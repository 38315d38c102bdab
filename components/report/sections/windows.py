"""The windows that models read and forecast."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from components.report.page import ReportSection
from components.report.words import count, plural, share
from models.windows.store import SeriesStore


def windows_section(folder: Path) -> ReportSection:
    """What a window is, and how many there are.

    Args:
        folder: The Windows artifact.
    """
    store = SeriesStore.load(folder)
    spec, roles = store.spec, store.roles
    covariates = roles.covariates
    reads = [*roles.targets, *covariates.past, *covariates.future, *covariates.static]
    filled = int(store.observed.size - np.count_nonzero(store.observed))
    lengths = np.asarray(store.segments[:, 2])
    windows = ", ".join(f"{split} {len(rows):,}" for split, rows in store.origins.items())
    gap = f", after a gap of {spec.gap}" if spec.gap else ""
    pieces = plural(len(lengths), "stretch", "stretches")
    longest = f", the longest of {count(int(lengths.max()))} steps" if len(lengths) > 1 else ""
    return ReportSection(
        "windows",
        "Windows",
        facts=(
            ("read", f"{plural(spec.lookback, 'step')} of {', '.join(reads)}"),
            ("forecast", f"{plural(spec.horizon, 'step')} of {', '.join(roles.targets)}{gap}"),
            ("a window every", plural(spec.stride, "step")),
            ("windows", windows),
            ("stretches without a long hole", f"{pieces}{longest}"),
            (
                f"values filled ({store.fill})",
                f"{count(filled)} ({share(filled, store.values.size)})",
            ),
            ("calendar", ", ".join(covariates.calendar) or "none"),
        ),
    )
