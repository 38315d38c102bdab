"""Trains a forecaster and writes the files of a Model artifact."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from components.backtest.champion import Champion
from components.tracking.recorder import Recorder
from components.train.artifact import SERVING, TrainResult, report, require_unused, staged
from components.train.warm_start import VOCABULARIES, begin, record_start
from models.cells.registry import cudnn_obstacles
from models.export.engines import EngineName
from models.features.scaling import Scaling
from models.network.config import ModelConfig
from models.training.config import TrainConfig
from models.training.history import TrainingHistory
from models.windows.store import SeriesStore


def train_forecaster(
    store: SeriesStore,
    scaling: Scaling,
    model: ModelConfig,
    train: TrainConfig,
    out: Path,
    *,
    checkpoints: Path,
    metadata: Mapping[str, Any],
    recorder: Recorder,
    champion: Champion | None = None,
    engine: EngineName = "tensorflow",
) -> TrainResult:
    """Builds, fits and exports a forecaster.

    Everything is written to a sibling of `out` that takes its place by one rename, so a killed
    process leaves nothing in `out`. Killed before, it goes on from the last finished epoch.

    Args:
        store: The windows; train and validation are used.
        scaling: Train moments of every number column.
        model: The network.
        train: Its training.
        out: Folder of the Model artifact: missing or empty. Receives `Format-Serving/`,
            `model.keras`, `history.json` and `verification.npz`.
        checkpoints: Folder for this very training (see `training_digest`); removed at the end.
        metadata: Further keys for `elman.json`, such as `config_digest` and `run_id`. Added here:
            `train_range`, `moments`, `metrics`, `parameters`, `model` and `train`.
        recorder: Hears parameters, metrics, figures, warnings and progress.
        champion: The live model, with whose weights to begin if `train.warm_start` is on.
        engine: For which a file is written beside the SavedModel.

    Raises:
        BadInputError: If the data cannot train this network; see `build_forecaster` and
            `fit_forecaster`. If a package of `engine` is missing, or it cannot
            run this network.
        FailedRunError: If a loss is nan or infinite; `out` stays empty.
    """
    from models.export.engine_files import require_engine
    from models.export.saved_model import export_forecaster
    from models.export.verification import write_verification
    from models.network.build import build_forecaster
    from models.training.fit import fit_forecaster
    from models.training.machine import training_machine, uses_gpu

    require_unused(out)
    require_engine(engine, model)
    words = vocabularies(store)
    with training_machine(train, recorder, model):
        if uses_gpu(train):
            for obstacle in cudnn_obstacles(model):
                recorder.warn(f"cuDNN will not be used, training is slower: {obstacle}")
        network = build_forecaster(
            spec=store.spec,
            roles=store.roles,
            model=model,
            scaling=scaling,
            frequency=store.frequency,
            vocabularies=words,
            seed=train.seed,
        )
        start = None
        if train.warm_start:
            start = begin(network, champion, store, model, scaling, words)
            record_start(recorder, start)
        history = fit_forecaster(
            network,
            store.view("train"),
            store.view("validation"),
            train,
            scaling,
            checkpoints=checkpoints,
            recorder=recorder,
        )
    known = dict(metadata)
    if start is not None:
        history.warm_start = start.as_json()
        known |= {"warm_start": start.as_json(), VOCABULARIES: words}
    with staged(out) as staging:
        export_forecaster(
            network,
            staging / SERVING,
            spec=store.spec,
            roles=store.roles,
            frequency=store.frequency,
            engine=engine,
            metadata={**_facts(store, scaling, model, train, history), **known},
        )
        network.save(staging / "model.keras")
        (staging / "history.json").write_text(history.to_json() + "\n")
        write_verification(network, store.view("validation"), staging / "verification.npz")
        unit = f"{train.loss} in standard deviations of each target"
        report(recorder, history, train, unit, staging / "history.json")
    shutil.rmtree(checkpoints, ignore_errors=True)
    return TrainResult(folder=out, saved_model=out / SERVING, history=history)


def vocabularies(store: SeriesStore) -> dict[str, tuple[str, ...]]:
    """The words of each static text covariate among the series that have train windows, sorted.

    Words of other series are unknown to the network, as those of new series will be.
    """
    seen = np.unique(store.series_of(np.asarray(store.origins["train"])))
    words = {}
    for name in store.roles.covariates.static:
        values = store.static[name]
        if any(isinstance(v, str) for v in values):
            words[name] = tuple(sorted({str(values[i]) for i in seen} - {""}))
    return words


def _facts(
    store: SeriesStore,
    scaling: Scaling,
    model: ModelConfig,
    train: TrainConfig,
    history: TrainingHistory,
) -> dict[str, Any]:
    best = history.at(history.best_epoch)
    trained = np.asarray(store.time[store.time < store.boundaries[1]])
    return {
        "train_range": [_iso(int(trained.min())), _iso(int(trained.max()))],
        "moments": {t: scaling[t].model_dump() for t in store.roles.targets},
        "metrics": {
            "val_loss": history.best_val_loss,
            "loss": best["loss"],
            "best_epoch": history.best_epoch,
            "epochs": history.epochs_run,
        },
        "parameters": history.parameters,
        "model": model.model_dump(mode="json"),
        "train": train.model_dump(mode="json"),
    }


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
