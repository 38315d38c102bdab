"""`TrainTrial`: trains one network of a search."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from components.tune.candidate import Candidate
from components.tune.judging import judged_by
from components.tune.trial import Order, Result, Say
from models.features.scaling import Scaling
from models.training.gradient_flow.config import GradientFlowConfig
from models.windows.store import SeriesStore

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class TrainTrial:
    """See `Run`; picklable, and imports TensorFlow only when it is called.

    Attributes:
        windows: Folder of the SeriesStore of the configuration.
        scaling: JSON of the train moments.
        base: JSON of the `Candidate` that the values are put into.
        widest: Longest lookback of the search; all trials are judged by the validation windows
            that have room for it.
        folder: Of the search; checkpoints are kept in it, one folder for each trial.
    """

    windows: Path
    scaling: str
    base: str
    widest: int
    folder: Path

    def __call__(self, order: Order, say: Say) -> Result:
        """Trains a network from the start, or on from its last checkpoint.

        With `order.epochs` the training is the configured one, its schedule included, ended after
        that many epochs; it goes on from the checkpoint of `order.continues` where there is one.

        Raises:
            BadInputError: If the values do not fit together, or leave a split without windows.
            FailedRunError: If the loss is not finite.
        """
        base = Candidate.from_json(self.base)
        candidate = base.with_values(order.values)
        store = judged_by(
            SeriesStore.load(self.windows), base.window, candidate.window, self.widest
        )
        return _train(
            store,
            Scaling.from_json(self.scaling),
            candidate,
            self._checkpoints(order),
            _Limited(say, order.epochs),
        )

    def forget(self, trial: str) -> None:
        """Removes the checkpoints of a trial."""
        shutil.rmtree(self.folder / CHECKPOINTS / trial, ignore_errors=True)

    def _checkpoints(self, order: Order) -> Path:
        mine = self.folder / CHECKPOINTS / order.id
        if order.continues is not None and not mine.exists():
            before = self.folder / CHECKPOINTS / order.continues
            if before.is_dir():
                part = mine.with_name(f".{mine.name}.part")
                shutil.rmtree(part, ignore_errors=True)
                shutil.copytree(before, part)
                part.rename(mine)
        return mine


class _EnoughError(Exception):
    """The trial has had its epochs."""


class _Limited:
    """A `models.training.listener.Listener` that ends a training after some epochs."""

    def __init__(self, say: Say, epochs: int | None) -> None:
        self._say = say
        self._epochs = epochs
        self.losses: dict[int, float] = {}

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        assert step is not None
        self.losses[step] = float(values["val_loss"])
        self._say(step, {name: float(value) for name, value in values.items()})
        if self._epochs is not None and step >= self._epochs:
            raise _EnoughError

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """The metrics say it."""

    def warn(self, text: str) -> None:
        """Not for a trial: the training that follows says it."""


def _train(
    store: SeriesStore,
    scaling: Scaling,
    candidate: Candidate,
    checkpoints: Path,
    listener: _Limited,
) -> Result:
    import keras

    from components.train.train import vocabularies
    from models.network.build import build_forecaster
    from models.training.fit import fit_forecaster
    from models.training.machine import training_machine

    _take_one_gpu()
    keras.utils.clear_session()  # of the trial before
    # Measurements cost time and change nothing that is learned.
    train = candidate.train.model_copy(update={"gradient_flow": GradientFlowConfig(every=0)})
    with training_machine(train, listener, candidate.model):
        network = build_forecaster(
            spec=store.spec,
            roles=store.roles,
            model=candidate.model,
            scaling=scaling,
            frequency=store.frequency,
            vocabularies=vocabularies(store),
            seed=train.seed,
        )
        with suppress(_EnoughError):
            fit_forecaster(
                network,
                store.view("train"),
                store.view("validation"),
                train,
                scaling,
                checkpoints=checkpoints,
                recorder=listener,
            )
    best = min(listener.losses, key=lambda epoch: (listener.losses[epoch], epoch))
    return Result(listener.losses[best], best, len(listener.losses))


def _take_one_gpu() -> None:
    """Keeps a trial to one GPU and to the memory it needs, for others run beside it."""
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    if not devices or len(tf.config.get_visible_devices("GPU")) < len(devices):
        return
    mine = devices[int(os.environ.get("ELMAN_TUNE_SLOT", "0")) % len(devices)]
    for device in devices:
        tf.config.experimental.set_memory_growth(device, True)
    tf.config.set_visible_devices(mine, "GPU")
