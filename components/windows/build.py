"""`build_store`: from Parquet Examples to windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.windows.examples import read_series, read_split
from components.windows.layout import Count, Layout
from components.windows.report import WindowsReport
from models.errors import BadInputError
from models.frequency import Frequency
from models.roles import Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from models.windows.writer import StoreWriter

Boundaries = tuple[int, int, int, int]


def build_store(
    examples: Path,
    boundaries: Boundaries,
    spec: WindowSpec,
    roles: Roles,
    gaps: GapsConfig,
    frequency: str,
    out: Path,
) -> WindowsReport:
    """Lays the series of all splits end to end and finds the windows of each split.

    A step without a row, and a step whose row misses a target or a past or future covariate, is
    in a hole. A run of more than `gaps.max` missing values in any column splits the series:
    a window there would hold an invented value. Shorter runs are filled column by column (see
    `models.windows.holes.fill`) and flagged in `observed`. Segments begin and end at steps where
    every column is observed. A window belongs to the split that holds its whole label range; its
    inputs may reach back into earlier splits.

    The data is read a row group at a time and written as it comes: memory does not grow with it,
    but for the windows' origins of one segment, and stretches in which no step is complete.

    Args:
        examples: Folder of the Examples artifact, as docs/architecture.md describes it.
        boundaries: Unix seconds at which train, validation and test start and test ends.
        spec: The window definition.
        roles: The columns by role.
        gaps: What to do about holes.
        frequency: Step as a pandas offset alias.
        out: Folder for the store.

    Returns:
        What was found. The store is in `out`; load it with `SeriesStore.load`.

    Raises:
        BadInputError: If a split gets no window, a series has no or two values of a static
            covariate, times are off the grid or not ascending, or the Examples are broken.
            Nothing that looks like a store is left in `out` then.
    """
    step = Frequency.parse(frequency)
    # Without gaps to fill nothing needs them, here or in what the model says about itself.
    means = _train_means(examples, roles) if gaps.fill == "mean" and gaps.max else {}
    unknown = np.full(len(roles.dynamic), np.nan)
    writer = StoreWriter(out, spec, roles, step.alias, boundaries, gaps.fill)
    try:
        count = Count()
        names: list[str] = []
        static: dict[str, list[Any]] = {name: [] for name in roles.covariates.static}
        for pieces in read_series(examples, roles):
            layout: Layout | None = None
            statics: dict[str, set[Any]] = {}
            for piece in pieces:
                keep = int(np.searchsorted(piece.time, boundaries[3]))
                count.unused_rows += len(piece.time) - keep
                for column, values in piece.static.items():
                    statics.setdefault(column, set()).update(values)
                if not keep:
                    continue
                if layout is None:
                    name = _series_name(piece.series)
                    filling = means.get(piece.series, unknown)
                    layout = Layout(len(names), name, step, gaps, filling, writer, count)
                layout.add(piece.time[:keep], piece.values[:keep])
            if layout is not None:
                layout.finish()
                names.append(layout.name)
                for column, value in _constants(layout.name, statics, roles).items():
                    static[column].append(value)
        _no_mixed_static(static)
        _every_split_has_windows(writer, spec, count, len(names))
        windows, segments, total = writer.windows, writer.segments, writer.rows
        writer.finish(tuple(names), {k: tuple(v) for k, v in static.items()}, _named(means))
    except BaseException:
        writer.abandon()
        raise
    return WindowsReport(
        windows=windows,
        series=len(names),
        empty_series=count.empty_series,
        rows=total,
        segments=segments,
        holes_filled=count.holes_filled,
        holes_splitting=count.holes_splitting,
        filled_cells=count.filled_cells,
        longest_hole=count.longest_hole,
        trimmed_steps=count.trimmed_steps,
        unused_rows=count.unused_rows,
    )


def _train_means(examples: Path, roles: Roles) -> dict[bytes, npt.NDArray[np.float64]]:
    """By series, the mean of the observed train values of each column; nan where there are none."""
    width = len(roles.dynamic)
    sums: dict[bytes, npt.NDArray[np.float64]] = {}
    for piece in read_split(examples, "train", roles):
        total = sums.setdefault(piece.series, np.zeros((2, width)))
        for column in range(width):
            known = piece.values[:, column]
            known = known[~np.isnan(known)]
            total[:, column] += known.sum(dtype=np.float64), len(known)
    with np.errstate(invalid="ignore"):
        return {series: total[0] / total[1] for series, total in sums.items()}


def _named(
    means: dict[bytes, npt.NDArray[np.float64]],
) -> dict[str, tuple[float | None, ...]]:
    return {
        _series_name(series): tuple(m if np.isfinite(m) else None for m in row.tolist())
        for series, row in means.items()
    }


def _series_name(series: bytes) -> str:
    return series.decode("utf-8", errors="backslashreplace")


def _constants(name: str, statics: dict[str, set[Any]], roles: Roles) -> dict[str, Any]:
    found = {}
    for column in roles.covariates.static:
        values = statics.get(column, set())
        if len(values) != 1:
            what = (
                f"the values {', '.join(sorted(map(repr, values))[:3])}" if values else "no value"
            )
            raise BadInputError(
                f"series {name!r} has {what} of the static covariate {column!r}, expected exactly "
                "one: complete the data, or list the column under covariates.past or future"
            )
        found[column] = next(iter(values))
    return found


def _no_mixed_static(static: dict[str, list[Any]]) -> None:
    for column, values in static.items():
        if len({isinstance(v, str) for v in values}) > 1:
            raise BadInputError(f"static covariate {column!r} mixes text and numbers")


def _every_split_has_windows(
    writer: StoreWriter, spec: WindowSpec, count: Count, series: int
) -> None:
    for split, windows in writer.windows.items():
        if windows:
            continue
        steps = count.steps[split]
        stretch = count.stretch[split]
        raise BadInputError(
            f"the {split} split gets no window: it has {steps} usable steps in {series} series, at "
            f"most {stretch} in a row, and the longest stretch without a hole over all splits has "
            f"{count.longest}; a window needs {spec.horizon} steps in a row of its own split for "
            f"its labels, and {spec.span} in a row with its inputs (lookback {spec.lookback} + gap "
            f"{spec.gap} + horizon {spec.horizon}). Make window.lookback or window.horizon "
            f"smaller, the {split} split larger, or raise gaps.max if holes are in the way"
        )
