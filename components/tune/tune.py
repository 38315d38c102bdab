"""`tune_forecaster`: searches for better values of a forecaster's keys."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.tracking.recorder import Recorder
from components.tune.candidate import Candidate
from components.tune.coding import INTERNAL, decoded
from components.tune.config import TuneConfig
from components.tune.judging import longest_lookback, require_room
from components.tune.record import TrialRuns
from components.tune.result import TuningResult
from components.tune.search import Budget, Found, search
from components.tune.space import hyperparameters, start
from components.tune.state import SearchState
from components.tune.train_trial import CHECKPOINTS, TrainTrial
from components.tune.trial import Run, Runner
from components.tune.workers import Workers
from models.features.scaling import Scaling
from models.windows.store import SeriesStore


def tune_forecaster(
    windows: Path,
    scaling: Scaling,
    base: Candidate,
    tune: TuneConfig,
    folder: Path,
    *,
    recorder: Recorder,
    make_runner: Callable[[Run, int], Runner] = Workers,
) -> tuple[TuningResult, dict[str, Any]]:
    """Runs the trials of a search, or goes on with those that a killed one has left.

    Args:
        windows: Folder of the SeriesStore of the configuration.
        scaling: Train moments.
        base: The configuration.
        tune: The search.
        folder: Of this very search; see `components.tune.identity`.
        recorder: Of the node `tune`.
        make_runner: Makes what runs the trials, from what a trial is and how many run at a time.

    Returns:
        What was found, and `get_config()` of the best trial's `keras_tuner.HyperParameters`.

    Raises:
        BadInputError: If the longest lookback of the space leaves a split without windows.
        FailedRunError: If no trial was completed.
    """
    from components.tune.oracle import Proposals

    # Said once, before anything is trained, rather than by every trial.
    require_room(SeriesStore.load(windows), base.window, tune)
    first = start(base, tune)
    if tune.try_config and first is None:
        recorder.warn(
            "the file's own values are not all in tune.space, so that no trial has them; add them "
            "to the space to know whether tuning gains anything"
        )
    proposals = Proposals(
        tune, hyperparameters(tune), first if tune.try_config else None, epochs=base.train.epochs
    )
    run = TrainTrial(
        windows=windows,
        scaling=scaling.canonical_json(),
        base=base.canonical_json(),
        widest=longest_lookback(base.window, tune),
        folder=folder,
    )
    watcher = TrialRuns(recorder, tune.max_trials, run.forget)
    watcher.resume(SearchState.load(folder).records)
    seconds = None if tune.max_minutes is None else tune.max_minutes * 60
    try:
        runner = make_runner(run, tune.parallel)
        found = search(proposals, runner, folder, Budget(tune.max_trials, seconds), watcher)
    finally:
        watcher.close()
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    best = proposals.best().get_config()
    best["values"] = {k: v for k, v in best["values"].items() if not k.startswith(INTERNAL)}
    return _result(found, best, base, tune), best


def _result(found: Found, best: dict[str, Any], base: Candidate, tune: TuneConfig) -> TuningResult:
    records = tuple(found.state.records.values())
    completed = [record for record in records if record.val_loss is not None]
    values = decoded(best["values"])
    won = min(
        (record for record in completed if record.values == values),
        key=lambda record: record.val_loss or 0.0,
    )
    assert won.val_loss is not None
    own = [
        record.val_loss
        for record in completed
        if record.limit is None and base.with_values(record.values) == base
    ]
    return TuningResult(
        algorithm=tune.algorithm,
        values=values,
        val_loss=won.val_loss,
        best_trial=won.id,
        config_val_loss=own[0] if own else None,
        ended=found.ended,
        resumed=found.resumed,
        seconds=round(found.state.seconds, 3),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        trials=records,
    )
