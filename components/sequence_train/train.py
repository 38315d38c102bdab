"""Trains a network over whole sequences and writes the files of a Model artifact."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.backtest.champion import Champion
from components.sequence_train.warm_start import begin_sequences
from components.tracking.recorder import Recorder
from components.train.artifact import SERVING, TrainResult, report, require_unused, staged
from components.train.warm_start import VOCABULARIES, record_start
from models.cells.registry import cudnn_obstacles
from models.features.scaling import Scaling
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig
from models.sequences.moments import train_moments
from models.sequences.store import SequenceStore
from models.training.history import TrainingHistory

UNIT = "cross-entropy in nats"


def train_sequence_model(
    store: SequenceStore,
    model: SequenceModelConfig,
    train: SequenceTrainConfig,
    out: Path,
    *,
    checkpoints: Path,
    metadata: Mapping[str, Any],
    recorder: Recorder,
    champion: Champion | None = None,
) -> TrainResult:
    """Builds, fits and exports a network.

    Everything is written to a sibling of `out` that takes its place by one rename, so a killed
    process leaves nothing in `out`. Killed before, it goes on from the last finished epoch.

    Args:
        store: The sequences; train and validation are used.
        model: The network.
        train: Its training.
        out: Folder of the Model artifact: missing or empty. Receives `Format-Serving/`,
            `model.keras`, `history.json` and `verification.npz`.
        checkpoints: Folder for this very training (see `sequence_training_digest`); removed at the
            end.
        metadata: Further keys for `elman.json`, such as `config_digest` and `run_id`. Added here:
            `train_sequences`, `moments`, `metrics`, `parameters`, `model` and `train`.
        recorder: Hears parameters, metrics, figures, warnings and progress.
        champion: The live model, with whose weights to begin if `train.warm_start` is on.

    Raises:
        BadInputError: If the data cannot train this network; see `build_sequence_network` and
            `fit_sequences`.
        FailedRunError: If a loss is nan or infinite; `out` stays empty.
    """
    from models.export.portable import is_float32
    from models.sequences.export.saved_model import export_sequence_model
    from models.sequences.export.verification import write_sequence_verification
    from models.sequences.fit import fit_sequences
    from models.sequences.network import build_sequence_network, known_symbols
    from models.sequences.network_core import NetworkCore
    from models.training.machine import training_machine, uses_gpu

    require_unused(out)
    scaling = train_moments(store.view("train"))
    with training_machine(train, recorder, model):
        if uses_gpu(train):
            for obstacle in cudnn_obstacles(model):
                recorder.warn(f"cuDNN will not be used, training is slower: {obstacle}")
        network = build_sequence_network(
            spec=store.spec,
            vocabularies=store.vocabularies,
            classes=len(store.classes),
            model=model,
            scaling=scaling,
            seed=train.seed,
        )
        start = None
        if train.warm_start:
            start = begin_sequences(network, champion, store, model, scaling)
            record_start(recorder, start)
        history = fit_sequences(
            network,
            store.view("train"),
            store.view("validation"),
            train,
            checkpoints=checkpoints,
            recorder=recorder,
        )
    known = dict(metadata)
    if start is not None:
        history.warm_start = start.as_json()
        words = {c: list(known_symbols(v, model)) for c, v in store.vocabularies.items()}
        known |= {"warm_start": start.as_json(), VOCABULARIES: words}
    served = NetworkCore.portable(network)
    with staged(out) as staging:
        export_sequence_model(
            served,
            staging / SERVING,
            spec=store.spec,
            classes=store.classes,
            vocabularies=store.vocabularies,
            metadata={**_facts(scaling, model, train, history), **known},
        )
        network.save(staging / "model.keras")
        (staging / "history.json").write_text(history.to_json() + "\n")
        # With the kernels that it was trained with, so that the check compares two of them.
        reference = NetworkCore(network) if is_float32(network) else served
        write_sequence_verification(
            reference, store.view("validation"), staging / "verification.npz"
        )
        report(recorder, history, train, UNIT, staging / "history.json")
    shutil.rmtree(checkpoints, ignore_errors=True)
    return TrainResult(folder=out, saved_model=out / SERVING, history=history)


def _facts(
    scaling: Scaling,
    model: SequenceModelConfig,
    train: SequenceTrainConfig,
    history: TrainingHistory,
) -> dict[str, Any]:
    return {
        "train_sequences": history.train_windows,
        "moments": {name: scaling[name].model_dump() for name in scaling.columns},
        "metrics": {
            "val_loss": history.best_val_loss,
            "loss": history.at(history.best_epoch)["loss"],
            "best_epoch": history.best_epoch,
            "epochs": history.epochs_run,
        },
        "parameters": history.parameters,
        "model": model.model_dump(mode="json"),
        "train": train.model_dump(mode="json"),
    }
