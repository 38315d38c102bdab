"""What MLflow hears of a search: a nested run for each trial, and what it came to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.tracking.recorder import NestedRecorder, Recorder
from components.tune.result import TuningResult
from components.tune.state import TrialRecord


class TrialRuns:
    """A `Watcher` that gives each trial a run of its own below the recorder's."""

    def __init__(self, recorder: Recorder, trials: int, forget: Callable[[str], None]) -> None:
        """Hears nothing yet.

        Args:
            recorder: Of the node `tune`.
            trials: Most trials there can be.
            forget: Called with the id of a trial that has ended and will not go on.
        """
        self._recorder = recorder
        self._trials = trials
        self._forget = forget
        self._open: dict[str, NestedRecorder] = {}
        self._done = 0
        self._best = math.inf

    def started(self, record: TrialRecord) -> None:
        """See `Watcher.started`."""
        run = self._recorder.nested(f"trial {record.id}", {"elman.trial": record.id})
        self._open[record.id] = run
        limit = {} if record.limit is None else {"epochs_limit": record.limit}
        run.params({**record.values, **limit})

    def epoch(self, record: TrialRecord, epoch: int, values: Mapping[str, float]) -> None:
        """See `Watcher.epoch`."""
        self._open[record.id].metrics(values, step=epoch)

    def ended(self, record: TrialRecord) -> None:
        """See `Watcher.ended`."""
        run = self._open.pop(record.id)
        if record.status == "running":
            run.end("KILLED", "ended before it was finished: the time of the search was over")
            return
        self._done += 1
        if record.val_loss is None:
            self._recorder.warn(f"trial {record.id} failed: {record.message}")
            run.end("FAILED", record.message)
        else:
            self._best = min(self._best, record.val_loss)
            run.metrics({"best_val_loss": record.val_loss, "best_epoch": record.best_epoch})
            run.end("FINISHED")
            trial = int(record.id)
            self._recorder.metrics({"trial_val_loss": record.val_loss}, step=trial)
            if record.limit is None:
                self._forget(record.id)
        best = {} if math.isinf(self._best) else {"best val_loss": self._best}
        self._recorder.progress(self._done, self._trials, best)

    def resume(self, records: Mapping[str, TrialRecord]) -> None:
        """Counts trials that an earlier start has finished."""
        for record in records.values():
            self._done += record.status != "running"
            if record.val_loss is not None:
                self._best = min(self._best, record.val_loss)

    def close(self) -> None:
        """Ends the runs of trials that something has ended with the search."""
        for run in self._open.values():
            run.end("KILLED", "ended together with the search")
        self._open = {}


def record(recorder: Recorder, result: TuningResult) -> None:
    """Records what a search came to.

    Args:
        recorder: Of the node `tune`.
        result: What was found.
    """
    recorder.params(result.values)
    recorder.metrics(
        {
            "best_val_loss": result.val_loss,
            "trials": len(result.trials),
            "trials_failed": result.failed,
            "trials_resumed": result.resumed,
            "tune_seconds": result.seconds,
        }
    )
    recorder.tags(
        {
            "elman.tune.ended": result.ended,
            "elman.tune.best_trial": result.best_trial,
            "elman.tune.reused": str(result.reused).lower(),
        }
    )
    recorder.data(result.model_dump(mode="json"), "tuning.json")
    recorder.figure(_figure(result), "figures/trials.png")


def _figure(result: TuningResult) -> Figure:
    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    done = [(int(t.id), t.val_loss) for t in result.trials if t.val_loss is not None]
    numbers = [number for number, _ in done]
    losses = [loss for _, loss in done]
    best = [min(losses[: i + 1]) for i in range(len(losses))]
    axes.plot(numbers, losses, "o", label="trial")
    axes.step(numbers, best, where="post", label="best so far")
    if result.config_val_loss is not None:
        label = "the file's own values"
        axes.axhline(result.config_val_loss, color="C2", linestyle=":", label=label)
    if min(losses) > 0 and max(losses) > 10 * min(losses):
        axes.set_yscale("log")
    axes.set_xlabel("trial")
    axes.set_ylabel("validation loss of the best epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.set_title(f"Tuning: {result.algorithm}")
    axes.legend()
    return figure
