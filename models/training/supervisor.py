"""`Supervisor`: what happens between epochs, and what stops a training."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import keras

from models.errors import FailedRunError
from models.training.checkpoints import (
    Arrays,
    Checkpoint,
    arrays,
    assign,
    read_checkpoint,
    write_checkpoint,
)
from models.training.config import FittingConfig
from models.training.fitting import Fitting
from models.training.gradient_flow.flow import GradientFlow
from models.training.gradient_flow.watch import FlowWatch
from models.training.history import TrainingHistory
from models.training.listener import Listener
from models.training.optimizers import inner, schedule_of
from models.training.patience import Patience


class NotFiniteError(Exception):
    """The running loss of an epoch is nan or infinite."""


class Supervisor(keras.callbacks.Callback):
    """One Keras callback, so that the order of what it does between epochs is plain.

    After each epoch: refuse a loss that is not finite; keep the weights if the validation loss is
    the lowest so far; ask early stopping and the plateau schedule; measure gradient flow where it
    is time to; record; write the checkpoint.
    """

    # Keras then reads batch logs in a thread of its own and never waits for the device.
    async_safe = True

    def __init__(
        self,
        fitting: Fitting,
        config: FittingConfig,
        history: TrainingHistory,
        folder: Path,
        identity: str,
        listener: Listener,
        flow: FlowWatch,
    ) -> None:
        """Watches one training.

        Args:
            fitting: Compiled, its optimizer built.
            config: The training section.
            history: Filled epoch by epoch.
            folder: Where checkpoints are kept, for this run alone.
            identity: A text that differs where a checkpoint must not be used.
            listener: Hears metrics and progress.
            flow: Measures gradient flow.
        """
        super().__init__()
        self._fitting = fitting
        self._config = config
        self.history = history
        self._folder = folder
        self._identity = identity
        self._listener = listener
        self._flow = flow
        self._stopping = Patience(config.patience, config.min_delta)
        self._plateau = Patience(config.schedule.patience, config.min_delta)
        self._schedule = schedule_of(fitting.optimizer)
        self._best: Arrays = []
        self._epoch = 0
        self._started = 0.0
        self.finished = False

    def resume(self) -> int:
        """Goes on from the last checkpoint of this very run, if there is one.

        Returns:
            The number of epochs that are finished.
        """
        found = read_checkpoint(self._folder)
        if found is None:
            return 0
        if found.state["identity"] != self._identity:
            self._listener.warn(
                f"the checkpoint in {self._folder} belongs to another configuration or other "
                "data; training starts from the beginning"
            )
            return 0
        assign(self._fitting.network.variables, found.weights, "network")
        assign(self._fitting.optimizer.variables, found.optimizer, "optimizer")
        self._best = found.best
        self._stopping.restore(found.state["stopping"])
        self._plateau.restore(found.state["plateau"])
        self._schedule.set_drops(found.state["drops"])
        self.finished = found.state["finished"]
        self.history.__dict__.update({**found.state["history"], "resumed_after": found.epoch})
        for epoch in range(1, found.epoch + 1):  # the tracking run that was killed is another one
            self._tell(epoch)
        return found.epoch

    def restore_best(self) -> None:
        """Gives the network the weights of its best epoch."""
        assign(self._fitting.network.weights, self._best, "best weights")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Starts the epoch's clock and measurements."""
        self._epoch = epoch
        self._started = time.perf_counter()
        self._fitting.record.reset()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Stops within the epoch when its running loss is no longer finite."""
        if not math.isfinite(logs["loss"]):
            raise NotFiniteError

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Everything between two epochs."""
        loss, val_loss = float(logs["loss"]), float(logs["val_loss"])
        gradients = self._fitting.record.summary()
        if not math.isfinite(loss) or gradients.bad_step is not None:
            raise NotFiniteError
        if gradients.skipped == gradients.steps:
            raise FailedRunError(
                f"training stopped in epoch {epoch + 1}: every gradient of the epoch overflowed "
                f"float16, so no step was taken (loss {loss:.6g}); write precision: float32 or "
                "mixed_bfloat16, or lower train.learning_rate"
            )
        if not math.isfinite(val_loss):
            raise self.failure(f"the validation loss is {val_loss}")
        self.history.append(
            {
                "loss": loss,
                "val_loss": val_loss,
                "learning_rate": self._rate_of_last_step(),
                "gradient_norm": gradients.norm,
                "gradient_norm_max": gradients.norm_max,
                "clipped_share": gradients.clipped_share,
                "skipped_share": gradients.skipped / gradients.steps,
                "seconds": time.perf_counter() - self._started,
            }
        )
        if val_loss < self.history.best_val_loss:
            self.history.best_val_loss = val_loss
            self.history.best_epoch = epoch + 1
            self._best = arrays(self._fitting.network.weights)
        if self._stopping.exhausted(val_loss):
            self.history.stopped = "patience"
            self._fitting.stop_training = True
        if self._plateau.exhausted(val_loss):
            self._schedule.set_drops(self._schedule.drops + 1)
            self._plateau.wait = 0
        self.finished = self._fitting.stop_training or epoch + 1 == self._config.epochs
        self._flow.after_epoch(epoch + 1, self.finished, self.history)
        self._tell(epoch + 1)
        self._save(epoch + 1)

    def failure(self, what: str | None = None) -> FailedRunError:
        """The error for a loss that is not finite in the epoch that runs."""
        seen = self._fitting.record.summary()
        if what is None:
            what = f"the loss or a gradient is not finite at step {seen.bad_step or seen.steps}"
        before = f"{seen.last_loss:.6g}" if math.isfinite(seen.last_loss) else "none"
        tries = ["lower train.learning_rate", "check the data for values of extreme size"]
        if self._config.clip is None:
            tries.insert(1, "clip gradients (train.clip: {global_norm: 1.0})")
        if self._config.precision == "mixed_float16":
            tries.append("write precision: float32 or mixed_bfloat16")
        return FailedRunError(
            f"training stopped in epoch {self._epoch + 1}: {what}. Last finite batch loss "
            f"{before}, gradient norm {seen.last_norm:.6g}, learning rate "
            f"{self._rate_of_last_step():.6g}. No model was written. Try to: {'; '.join(tries)}"
        )

    def _rate_of_last_step(self) -> float:
        done = int(inner(self._fitting.optimizer).iterations.numpy())
        return float(self._schedule(max(done - 1, 0)))

    def _tell(self, epoch: int) -> None:
        values = self.history.at(epoch)
        values["epoch_seconds"] = values.pop("seconds")
        for flow in map(GradientFlow.from_json, self.history.gradient_flow):
            if flow.epoch == epoch:
                values["gradient_reach"] = flow.reach
        self._listener.metrics(values, step=epoch)
        self._listener.progress(
            epoch, self._config.epochs, {k: values[k] for k in ("loss", "val_loss")}
        )

    def _save(self, epoch: int) -> None:
        write_checkpoint(
            self._folder,
            Checkpoint(
                epoch=epoch,
                weights=arrays(self._fitting.network.variables),
                optimizer=arrays(self._fitting.optimizer.variables),
                best=self._best,
                state={
                    "identity": self._identity,
                    "stopping": self._stopping.state(),
                    "plateau": self._plateau.state(),
                    "drops": self._schedule.drops,
                    "finished": self.finished,
                    "history": dict(vars(self.history)),
                },
            ),
        )
