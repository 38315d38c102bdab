"""The core of each kind of baseline."""

from __future__ import annotations

from models.baselines.ar import Ar
from models.baselines.ffnn import Ffnn
from models.baselines.naive import Naive
from models.baselines.protocol import Baseline
from models.baselines.seasonal_naive import SeasonalNaive
from models.export.baselines.affine import AffineBaseline, affine_core
from models.export.baselines.ar import ar_core
from models.export.baselines.core import BaselineCore, Refusal
from models.export.baselines.ffnn import FfnnCore
from models.export.baselines.naive import naive_core, seasonal_naive_core
from models.windows.store import SeriesStore


def core_of(baseline: Baseline, store: SeriesStore) -> BaselineCore | Refusal:
    """A fitted baseline as a core, or why it cannot be one.

    Args:
        baseline: Fitted to `store`.
        store: Its windows.
    """
    if isinstance(baseline, Naive):
        return naive_core(store)
    if isinstance(baseline, SeasonalNaive):
        return seasonal_naive_core(baseline, store)
    if isinstance(baseline, Ar):
        return ar_core(baseline, store)
    if isinstance(baseline, Ffnn):
        return FfnnCore(baseline, store)
    if isinstance(baseline, AffineBaseline):
        return affine_core(baseline, store)
    return Refusal(f"there is no export for baselines of the kind {type(baseline).__name__}")
