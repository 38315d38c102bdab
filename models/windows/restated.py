"""`restated`: the same series under another window definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.windows.origins import origins
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS, SeriesStore


def restated(
    store: SeriesStore, spec: WindowSpec, *, validation: WindowSpec | None = None
) -> SeriesStore:
    """`store` as it would be if it had been built for `spec`: only the origins are others.

    How series are laid out, filled and cut into segments does not depend on the windows, so the
    arrays of `store` are used as they are (memory-mapped ones stay so).

    Args:
        store: The series.
        spec: The window definition.
        validation: Another one for the origins of the validation split: with a longer lookback
            and the same horizon and gap, those of its windows that have room for it.

    Raises:
        ValueError: If `validation` has a shorter lookback, or another horizon or gap.
    """
    judged = validation or spec
    if judged.lookback < spec.lookback or (judged.horizon, judged.gap) != (spec.horizon, spec.gap):
        raise ValueError(f"windows of {judged} are no windows of {spec}")
    found: dict[str, list[npt.NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for _, first, steps in np.asarray(store.segments):
        edges = np.searchsorted(store.time[first : first + steps], store.boundaries)
        for i, split in enumerate(SPLITS):
            of = judged if split == "validation" else spec
            low, high = int(edges[i]), int(edges[i + 1])
            found[split].append(first + origins(of, int(steps), low, high))
    empty = np.empty(0, np.int64)
    rows = {split: np.concatenate([empty, *parts]) for split, parts in found.items()}
    return replace(store, spec=spec, origins=rows)
