"""`Config`: the whole configuration file."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from components.backtest.config import GateConfig
from components.ingest.config import DataConfig, SplitConfig
from components.monitor.config import DriftConfig
from components.notify.config import NotifyConfig
from components.push.config import ServingConfig
from components.tracking.config import TrackingConfig
from components.tune.config import TuneConfig
from models.baselines.config import BaselinesConfig
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.section import Section
from models.training.config import TrainConfig
from models.windows.spec import WindowSpec
from pipeline.config.checks import problems
from pipeline.config.digest import digest, digest_of_parts
from pipeline.config.name import slug
from pipeline.config.task import known
from pipeline.schedule.config import ScheduleConfig


class Config(Section):
    """One pipeline: what to forecast from which data, with which model, and where it goes.

    Paths are relative to the folder of the configuration file; `pipeline.config.load` resolves
    them. `schema` in the file is the field `schema_file` here.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    name: str = Field(description="of the pipeline, the served model and the registered model")
    workspace: str = Field(default="./workspace", min_length=1, description="folder of all state")
    data: DataConfig
    task: Literal["forecast"] = Field(default="forecast", description="what is learned")
    targets: tuple[str, ...] = Field(min_length=1, description="columns to forecast")
    covariates: Covariates = Covariates()
    split: SplitConfig = SplitConfig()
    window: WindowSpec
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    tune: TuneConfig | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="a search for better values before training; see `tune` below",
    )
    baselines: BaselinesConfig = BaselinesConfig()
    gate: GateConfig = GateConfig()
    drift: DriftConfig | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="whether the live model still fits what comes in; see `drift` below",
    )
    serving: ServingConfig = ServingConfig()
    tracking: TrackingConfig = TrackingConfig()
    schedule: ScheduleConfig | None = Field(
        default=None, description="when `elman schedule` starts runs; see `schedule` below"
    )
    notify: NotifyConfig | None = Field(
        default=None, description="who is told how a run ended; see `notify` below"
    )
    schema_file: str | None = Field(
        default=None,
        min_length=1,
        alias="schema",
        description="data schema; null: <config>.schema.pbtxt beside the config",
    )

    _slug = field_validator("name")(slug)

    _known = field_validator("task", mode="before")(known)

    @model_validator(mode="after")
    def _sections_agree(self) -> Config:
        found = problems(self)
        if found:
            raise PydanticCustomError(
                "sections_disagree", "{text}", {"text": "; ".join(map(str, found)), "all": found}
            )
        return self

    @property
    def roles(self) -> Roles:
        """Targets and covariates as one section."""
        return Roles(targets=self.targets, covariates=self.covariates)

    @property
    def digest(self) -> str:
        """32 hexadecimal digits of the canonical configuration; the same for equal ones.

        Secrets are not part of it: URLs hold names of environment variables only.
        """
        return digest(self)

    @property
    def training_digest(self) -> str:
        """Digest of what a trained model depends on: not the gate, serving or tracking.

        A change of the gate alone must not train the same model again.
        """
        tune = () if self.tune is None else ("tune",)
        return digest_of_parts(self, ("data", "split", "window", "model", "train", "roles", *tune))
