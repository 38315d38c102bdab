"""`TuningResult`: what a search came to; the files of the HyperParameters artifact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from components.tune.coding import INTERNAL, decoded
from components.tune.state import TrialRecord
from models.errors import FailedRunError
from models.section import Section

BEST = "best_hyperparameters.txt"
"""KerasTuner's JSON, under the name that TFX's own Tuner writes and its Trainer reads."""
RESULT = "tuning.json"


class TuningResult(Section):
    """What a search came to.

    Attributes:
        algorithm: How it chose.
        values: The best, by dotted key, as they would stand in the configuration.
        val_loss: Validation loss of the best epoch of the best trial.
        best_trial: Its id.
        config_val_loss: That of the trial with the configuration's own values, where there was one.
        ended: What ended the search: enough trials, the time, or nothing left to try.
        resumed: Trials that an earlier, killed start had finished.
        seconds: Wall time over all starts.
        finished: UTC time, ISO 8601.
        reused: Whether values found for older data were used again (`tune.every_days`).
        trials: All of them, in the order of their start.
    """

    algorithm: str
    values: dict[str, Any]
    val_loss: float
    best_trial: str
    config_val_loss: float | None = None
    ended: Literal["trials", "time", "space"]
    resumed: int = 0
    seconds: float
    finished: str
    reused: bool = False
    trials: tuple[TrialRecord, ...]

    @property
    def completed(self) -> int:
        """Trials that came to a loss."""
        return sum(trial.status == "completed" for trial in self.trials)

    @property
    def failed(self) -> int:
        """Trials that did not."""
        return sum(trial.status == "failed" for trial in self.trials)

    @property
    def words(self) -> str:
        """One line for people: the values and how they were found."""
        values = ", ".join(f"{key} {shown(value)}" for key, value in self.values.items())
        failed = f", {self.failed} failed" if self.failed else ""
        how = f"found {self.finished[:10]} for older data, " if self.reused else ""
        before = ""
        if self.config_val_loss is not None and self.config_val_loss != self.val_loss:
            before = f" (the file's own values: {self.config_val_loss:.4g})"
        return (
            f"{values}; {how}validation loss {self.val_loss:.4g}{before}, best of "
            f"{len(self.trials)} trials{failed}"
        )


def shown(value: Any) -> str:
    """A value for people: 4 digits of a number, JSON of anything but a word."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def write_result(result: TuningResult, best: dict[str, Any], folder: Path) -> None:
    """Writes the files of the artifact.

    Args:
        result: What was found.
        best: `get_config()` of the best trial's `keras_tuner.HyperParameters`.
        folder: Made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = {k: v for k, v in best["values"].items() if not k.startswith(INTERNAL)}
    (folder / RESULT).write_text(json.dumps(result.model_dump(mode="json"), indent=1) + "\n")
    (folder / BEST).write_text(json.dumps({**best, "values": values}, indent=1) + "\n")


def read_result(folder: Path) -> TuningResult:
    """The result in the artifact at `folder`."""
    return TuningResult.from_json((folder / RESULT).read_text())


def read_best(folder: Path) -> dict[str, Any]:
    """The values in the artifact at `folder`, as they would stand in the configuration.

    Only KerasTuner's file is read, so that the artifact of another tuner does as well.

    Raises:
        FailedRunError: If it is not there.
    """
    try:
        data = json.loads((folder / BEST).read_text())
    except FileNotFoundError:
        raise FailedRunError(f"{folder / BEST} is missing: the tune node did not finish") from None
    return decoded(data["values"])


class TuningSummary(Section):
    """What a run's result and a model's `elman.json` say of a search; see `TuningResult`.

    With the artifact of another tuner than this pipeline's, only the values are known.
    """

    values: dict[str, Any]
    words: str = ""
    algorithm: str = ""
    val_loss: float | None = None
    config_val_loss: float | None = None
    trials: int = 0
    failed: int = 0
    resumed: int = 0
    best_trial: str = ""
    finished: str = ""


def summary(folder: Path) -> TuningSummary:
    """The search in the artifact at `folder`."""
    values = read_best(folder)
    if not (folder / RESULT).exists():
        return TuningSummary(values=values)
    result = read_result(folder)
    return TuningSummary(
        values=values,
        words=result.words,
        algorithm=result.algorithm,
        val_loss=result.val_loss,
        config_val_loss=result.config_val_loss,
        trials=len(result.trials),
        failed=result.failed,
        resumed=result.resumed,
        best_trial=result.best_trial,
        finished=result.finished,
    )
