"""When a model of sequences is good enough, as configured."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from models.section import Section
from models.sequence_baselines.config import SequenceBaselineName
from models.sequences.spec import Task

SequenceMetric = Literal["accuracy", "macro_f1", "log_loss", "perplexity"]
SEQUENCE_METRICS: tuple[SequenceMetric, ...] = get_args(SequenceMetric)
HIGHER_IS_BETTER: dict[SequenceMetric, bool] = {
    "accuracy": True,
    "macro_f1": True,
    "log_loss": False,
    "perplexity": False,
}
DEFAULT_METRICS: dict[Task, SequenceMetric] = {
    "classify": "accuracy",
    "tag": "accuracy",
    "next_step": "perplexity",
}


class SequenceGateConfig(Section):
    """The network is blessed if its `metric` on the test sequences is better than that of every
    baseline in `beats` and of the champion: above for `accuracy` and `macro_f1`, below for
    `log_loss` and `perplexity`. A tie is not better.

    `margin` is a share of what there is to gain: of the rival's distance to 1 for the metrics that
    end there (0.05 is five per cent fewer errors), else of the rival's metric itself. With `bless:
    best` the best baseline is blessed in place of a network that fails, if it beats the champion.
    """

    metric: SequenceMetric | None = Field(
        default=None,
        description="what the gate compares, over all test labels; null: accuracy for classify and "
        "tag, perplexity for next_step",
    )
    beats: tuple[SequenceBaselineName, ...] | None = Field(
        default=None,
        description="baselines that the network has to beat; null: every one that is scored",
    )
    margin: float = Field(default=0.0, ge=0, lt=1, description="share by which it has to beat them")
    champion: bool = Field(default=True, description="whether it has to beat the serving model too")
    significance: float | None = Field(
        default=None, gt=0, lt=1, description="null: the paired test is reported, not required"
    )
    bless: Literal["best", "model"] = Field(
        default="best",
        description="best: the best baseline, where the network fails the gate; model: only the "
        "network",
    )

    @field_validator("beats")
    @classmethod
    def _once_each(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) != len(value):
            raise ValueError(f"a baseline is listed twice: {list(value)}")
        return value

    def metric_of(self, task: Task) -> SequenceMetric:
        """The metric of this gate for a task."""
        return self.metric or DEFAULT_METRICS[task]

    def beats_of(self, scored: tuple[str, ...]) -> tuple[str, ...]:
        """The baselines that the network has to beat, of those that were `scored`."""
        return scored if self.beats is None else self.beats
