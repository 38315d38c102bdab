"""What is watched between two trainings, as configured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.section import Section

Action = Literal["warn", "stop", "retrain"]


class DataDriftConfig(Section):
    """New rows against the champion's training rows, column by column.

    A column has drifted when its distance is above `threshold` and above its level: where distances
    begin to be far out among those that ranges of the same length had inside the training data,
    each from what came before it. So a day is not held against a year as if it had to look like
    one.
    """

    threshold: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="smallest distance that counts: Jensen-Shannon divergence (0 to 1) of numbers, "
        "largest difference of a share (L-infinity) of texts",
    )
    action: Action = Field(
        default="warn", description="warn; stop the run; or train only when this has happened"
    )


class SkewConfig(Section):
    """Logged serving requests against the champion's training rows, as `drift.data` does."""

    requests: str | None = Field(
        default=None,
        min_length=1,
        description="folder, file or glob of PredictionLog TFRecords; null: where "
        "serving.request_log writes them",
    )
    newest: int = Field(default=1000, ge=1, description="requests read, the newest ones")
    threshold: float = Field(default=0.1, ge=0, le=1, description="as drift.data.threshold")
    action: Action = Field(default="warn", description="as drift.data.action")


class ConceptDriftConfig(Section):
    """The champion's error on windows whose labels all came after its run, over that in its
    backtest (mean absolute error in standard deviations of each target on the train rows).

    It has drifted when this ratio is above `threshold` and above its level: where ratios begin to
    be far out among those of ranges of the same length inside the backtest.
    """

    threshold: float = Field(default=1.5, gt=0, description="smallest ratio of errors that counts")
    min_windows: int = Field(default=10, ge=1, description="with fewer new windows: not checked")
    action: Action = Field(default="warn", description="as drift.data.action")


class DriftConfig(Section):
    """Whether the champion still fits what comes in; checked before anything is trained.

    With `action: retrain` in a check, nothing is trained as long as no such check finds drift: the
    run ends well and says that the champion still holds.
    """

    data: DataDriftConfig | None = Field(
        default=DataDriftConfig(), description="new rows against training; null: not checked"
    )
    skew: SkewConfig | None = Field(
        default=None, description="requests against training; null: not checked"
    )
    concept: ConceptDriftConfig | None = Field(
        default=ConceptDriftConfig(),
        description="new errors against the backtest; null: not checked",
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="columns watched for drift and skew; null: all"
    )
    steps: int | None = Field(
        default=None, ge=1, description="newest steps looked at; null: all since the champion's run"
    )
    min_rows: int = Field(default=30, ge=1, description="with fewer new rows: not checked")
    retrain_every: float | None = Field(
        default=None,
        gt=0,
        description="days of new data after which to train in any case; null: never",
    )

    @property
    def retrains(self) -> bool:
        """Whether training waits for drift."""
        checks = (self.data, self.skew, self.concept)
        return any(check is not None and check.action == "retrain" for check in checks)
