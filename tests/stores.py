"""Small series stores for tests, with windows enumerated one by one."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.features.scaling import Scaling
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS, SeriesStore
from tests.shared_data import shared_data

HOUR = 3600


def make_store(
    segments: Sequence[tuple[str, int, Any]],
    spec: WindowSpec,
    cuts: tuple[int, int, int],
    *,
    roles: Roles | None = None,
    hidden: Mapping[int, Any] | None = None,
    static: Mapping[str, tuple[Any, ...]] | None = None,
    frequency: str = "h",
) -> SeriesStore:
    """A store of hourly segments.

    Args:
        segments: (series id, first hour, values [rows, columns]), in the order of series and time.
        spec: The windows.
        cuts: Hours at which validation and test start and test ends; train starts at hour 0.
        roles: Columns; targets `y0`, `y1` and so on by default.
        hidden: By segment, bool [rows, columns]: values to mark as filled.
        static: Static covariates by name, one value per series.
        frequency: Only a label here: steps are hours.
    """
    blocks = [np.asarray(values, np.float32) for _, _, values in segments]
    blocks = [b[:, None] if b.ndim == 1 else b for b in blocks]
    if roles is None:
        roles = Roles(targets=tuple(f"y{i}" for i in range(blocks[0].shape[1])))
    names = tuple(sorted({s for s, _, _ in segments}))
    table, first = [], 0
    origins: dict[str, list[int]] = {s: [] for s in SPLITS}
    edges = (0, *cuts)
    for (name, hour, _), block in zip(segments, blocks, strict=True):
        table.append((names.index(name), first, len(block)))
        for t in range(spec.lookback - 1, len(block) - spec.reach, spec.stride):
            low, high = hour + t + 1 + spec.gap, hour + t + spec.reach
            for split, a, b in zip(SPLITS, edges[:-1], edges[1:], strict=True):
                if a <= low and high < b:
                    origins[split].append(first + t)
        first += len(block)
    observed = [np.ones(b.shape, bool) for b in blocks]
    for index, mask in (hidden or {}).items():
        observed[index] &= ~np.asarray(mask, bool).reshape(observed[index].shape)
    time = [np.arange(h, h + len(b)) * HOUR for (_, h, _), b in zip(segments, blocks, strict=True)]
    return SeriesStore(
        spec=spec,
        roles=roles,
        frequency=frequency,
        values=np.concatenate(blocks),
        observed=np.concatenate(observed),
        time=np.concatenate(time).astype(np.int64),
        segments=np.asarray(table, np.int64),
        series=names,
        static=dict(static or {}),
        origins={s: np.asarray(o, np.int64) for s, o in origins.items()},
        boundaries=(0, cuts[0] * HOUR, cuts[1] * HOUR, cuts[2] * HOUR),
    )


def scaling_of(store: SeriesStore) -> Scaling:
    """Moments of the observed train rows."""
    train = store.time < store.boundaries[1]
    moments = {}
    for i, name in enumerate(store.roles.dynamic):
        values = store.values[train & store.observed[:, i], i].astype(np.float64)
        moments[name] = (float(values.mean()), float(values.std()))
    return Scaling.of(moments)


def etth1(targets: Sequence[str], lookback: int, horizon: int) -> SeriesStore:
    """ETTh1 under the protocol of the literature: 8640, 2880 and 2880 rows."""
    with shared_data("ett", "ETTh1.csv").open() as file:
        rows = list(csv.DictReader(file))[: 8640 + 2880 + 2880]
    values = np.asarray([[float(r[name]) for name in targets] for r in rows])
    return make_store(
        [("", 0, values)],
        WindowSpec(lookback=lookback, horizon=horizon),
        (8640, 11520, 14400),
        roles=Roles(targets=tuple(targets), covariates=Covariates()),
    )
