"""`Samples`: a few test windows with what was forecast for them, as people look at them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.backtest.evaluate import Backtest
from components.backtest.evaluation import CANDIDATE, CHAMPION, Number
from models.metrics.losses import window_losses
from models.section import Section
from models.windows.store import SeriesStore

FILE = "samples.json"
TARGETS = 4
"""Targets kept of one window at most."""


class ModelLine(Section):
    """The forecast of one model, one value per step of the horizon, natural units."""

    model: str
    values: tuple[Number, ...]


class TargetSample(Section):
    """One target of a window; null where nothing was observed. `history` goes with `past`, the
    others with `ahead` of the window.
    """

    target: str
    history: tuple[Number, ...]
    actual: tuple[Number, ...]
    forecasts: tuple[ModelLine, ...]


class SampleWindow(Section):
    """One test window.

    Attributes:
        label: `newest`, or by the candidate's absolute error in train standard deviations `best`,
            `median` or `worst`.
        series: Its id; empty for the only one.
        origin: Unix seconds of the last input step.
        past: Unix seconds of the history shown, which ends at the origin.
        ahead: Unix seconds of the horizon.
        targets: The first `TARGETS` ones.
    """

    label: str
    series: str
    origin: int
    past: tuple[int, ...]
    ahead: tuple[int, ...]
    targets: tuple[TargetSample, ...]


class Samples(Section):
    """The file `samples.json` of an evaluation."""

    windows: tuple[SampleWindow, ...]

    def save(self, folder: Path) -> None:
        """Writes `samples.json` into `folder`, made if missing, in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{FILE}.part"
        part.write_text(self.model_dump_json() + "\n", encoding="utf-8")
        part.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Samples:
        """The samples in `folder`; none where an earlier version of Elman wrote none."""
        path = folder / FILE
        return (
            cls.from_json(path.read_text(encoding="utf-8")) if path.is_file() else cls(windows=())
        )


def samples(store: SeriesStore, backtest: Backtest) -> Samples:
    """The newest, best, median and worst test window.

    Args:
        store: The windows.
        backtest: What was found on them.
    """
    newest = int(np.argmax(np.asarray(store.time)[store.view("test").origins]))
    chosen = {"newest": newest, **extremes(store, backtest)}
    return Samples(windows=tuple(_window(store, backtest, k, i) for k, i in chosen.items()))


def extremes(store: SeriesStore, backtest: Backtest) -> dict[str, int]:
    """Index of the `best`, `median` and `worst` test window; empty if none has a label."""
    losses = window_losses(
        store.view("test"), backtest.predictions[CANDIDATE], "mae_scaled", backtest.yardstick
    )
    order = np.argsort(losses, kind="stable")[: np.count_nonzero(~np.isnan(losses))]
    if not len(order):
        return {}
    middle = int(order[(len(order) - 1) // 2])
    return {"best": int(order[0]), "median": middle, "worst": int(order[-1])}


def _window(store: SeriesStore, backtest: Backtest, label: str, index: int) -> SampleWindow:
    spec, view = store.spec, store.view("test").take(np.array([index]))
    origin = int(view.origins[0])
    # Enough history to see a season, not so much that the forecast shrinks to nothing.
    back = min(spec.lookback, max(3 * spec.reach, 2 * backtest.yardstick.season, 24))
    past = np.arange(origin - back + 1, origin + 1)
    ahead = np.arange(spec.horizon) + origin + 1 + spec.gap
    labels = view.labels()[0]
    return SampleWindow(
        label=label,
        series=store.series[int(store.series_of(view.origins)[0])],
        origin=int(store.time[origin]),
        past=tuple(store.time[past].tolist()),
        ahead=tuple(store.time[ahead].tolist()),
        targets=tuple(
            TargetSample(
                target=target,
                history=_line(np.where(store.observed[past, k], store.values[past, k], np.nan)),
                actual=_line(labels[:, k]),
                forecasts=tuple(
                    ModelLine(model=name, values=_line(values[:, k]))
                    for name, values in _shown(backtest, index)
                ),
            )
            for k, target in enumerate(store.roles.targets[:TARGETS])
        ),
    )


def _shown(backtest: Backtest, index: int) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    best, champion = backtest.evaluation.best_baseline, backtest.evaluation.champion
    names = [CANDIDATE, *([best] if best else [])]
    for name in names:
        yield name, backtest.predictions[name][index]
    # A champion that was compared on some windows only is indexed differently.
    whole = champion is not None and champion.windows == backtest.evaluation.windows
    if CHAMPION in backtest.predictions and whole:
        yield CHAMPION, backtest.predictions[CHAMPION][index]


def _line(values: npt.NDArray[np.float32]) -> tuple[Number, ...]:
    # Seven digits are all that a float32 knows.
    return tuple(float(f"{v:.7g}") if math.isfinite(v) else None for v in values.tolist())
