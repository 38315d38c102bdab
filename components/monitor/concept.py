"""Concept drift: the champion's error on what has come since, against that in its backtest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.backtest.champion import Forecaster, forecasts
from components.backtest.evaluation import number
from components.monitor.config import ConceptDriftConfig
from components.monitor.findings import finding, iso
from components.monitor.levels import FEWEST, MOST
from components.monitor.reference import UNIT, Backtested, errors_by_origin
from components.monitor.report import Check, ErrorSeries
from models.metrics.scores import Scores
from models.metrics.yardstick import Yardstick
from models.windows.store import SeriesStore
from models.windows.view import WindowView

Load = Callable[[Path], Forecaster]


def check_concept(
    store: SeriesStore,
    champion: Path,
    backtest: Backtested | None,
    config: ConceptDriftConfig,
    *,
    since: int,
    metric: str,
    load: Load,
) -> Check:
    """Scores the champion on windows that it had not seen; what prevents it is told, never raised.

    Args:
        store: All windows of this run.
        champion: Folder of the SavedModel.
        backtest: Its errors in its own run.
        config: The limits.
        since: Unix seconds; all labels have to be later.
        metric: The gate's, shown beside.
        load: Opens a SavedModel.
    """

    def unchecked(reason: str, size: int = 0, *, waiting: bool = False) -> Check:
        return Check(
            name="concept",
            action=config.action,
            state="not_checked",
            reason=reason,
            size=size,
            waiting=waiting,
        )

    if backtest is None:
        return unchecked("the champion keeps no errors of its backtest")
    view = new_windows(store, since)
    try:
        forecaster = load(champion)
        refusal = forecaster.comparable(store)
        if refusal:
            return unchecked(f"the champion cannot be scored on these windows: {refusal}")
        view = view.take(np.flatnonzero(forecaster.usable(view)))
        if len(view) < config.min_windows:
            return unchecked(
                f"{len(view)} windows have only labels that are new to the champion; "
                f"drift.concept.min_windows is {config.min_windows}",
                len(view),
                waiting=True,
            )
        predictions = forecasts(forecaster, view)
    except Exception as error:
        # A live model that no longer loads or runs must not stand in the way of its successor.
        detail = str(error).strip().partition("\n")[0]
        return unchecked(f"the champion failed: {type(error).__name__}: {detail}".rstrip(": "))
    scale = np.asarray([backtest.scale[name] for name in store.roles.targets], np.float64)
    times, errors, new = errors_by_origin(view, predictions, scale)
    if not len(times) or backtest.error <= 0:
        return unchecked("no new label was observed, or the backtest had no error", len(view))
    found = finding(
        "error",
        "ratio",
        new / backtest.error,
        config.threshold,
        ratios_inside(backtest, len(times)),
    )
    return Check(
        name="concept",
        action=config.action,
        state="drifted" if found.drifted else "steady",
        reason=_sentence(found.value, found.limit, new, backtest.error) if found.drifted else "",
        size=len(view),
        start=iso(int(times[0])),
        end=iso(int(times[-1])),
        findings=(found,),
        errors=_series(view, predictions, backtest, times, errors, new, metric, scale),
    )


def new_windows(store: SeriesStore, since: int) -> WindowView:
    """The windows of all splits whose labels are all later than `since`."""
    origins = np.sort(np.concatenate([np.asarray(o) for o in store.origins.values()]))
    first = np.asarray(store.time[origins + 1 + store.spec.gap])
    return WindowView(store, origins[first > since])


def ratios_inside(backtest: Backtested, origins: int) -> npt.NDArray[np.float64]:
    """Ratios of the errors of ranges of as many origins to the whole backtest, `[ranges]`."""
    errors = np.asarray(backtest.errors)
    width = max(1, round(origins / backtest.origins))
    room = len(errors) - width
    if room < FEWEST - 1:
        return np.zeros(0)
    starts = np.unique(np.linspace(0, room, MOST).round().astype(np.int64))
    total = np.concatenate([[0.0], errors.cumsum()])
    ratios: npt.NDArray[np.float64] = (total[starts + width] - total[starts]) / width
    return ratios / backtest.error


def _series(
    view: WindowView,
    predictions: npt.NDArray[np.float32],
    backtest: Backtested,
    times: npt.NDArray[np.int64],
    errors: npt.NDArray[np.float64],
    new: float,
    metric: str,
    scale: npt.NDArray[np.float64],
) -> ErrorSeries:
    store = view.store
    none = np.full((len(store.series), len(scale)), np.nan)
    overall = Scores.of(view, predictions, Yardstick(scale, none, 1)).overall()
    keep = np.unique(np.linspace(0, len(times) - 1, min(len(times), 2048)).round().astype(int))
    return ErrorSeries(
        unit=UNIT,
        backtest=backtest.error,
        new=new,
        metric=metric,
        backtest_metric=backtest.metrics.get(metric),
        new_metric=number(overall[metric]),
        backtest_times=backtest.times,
        backtest_errors=backtest.errors,
        new_times=tuple(times[keep].tolist()),
        new_errors=tuple(errors[keep].tolist()),
    )


def _sentence(ratio: float, limit: float, new: float, old: float) -> str:
    return (
        f"the champion's error is {ratio:.2f} times that of its backtest ({new:.3g} against "
        f"{old:.3g} {UNIT}; limit {limit:.2f})"
    )
