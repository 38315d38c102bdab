"""`SequenceConfig`: the whole configuration file of a task over whole sequences."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from components.notify.config import NotifyConfig
from components.push.config import ServingConfig
from components.sequence_backtest.config import SequenceGateConfig
from components.sequences.config import SequenceDataConfig, SequenceSplitConfig
from components.tracking.config import TrackingConfig
from models.section import Section
from models.sequence_baselines.config import SequenceBaselinesConfig
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig
from models.sequences.spec import SequenceInputs, SequenceSpec
from pipeline.config.digest import digest, digest_of_parts
from pipeline.config.name import slug
from pipeline.config.sequence_checks import problems
from pipeline.config.task import known
from pipeline.schedule.config import ScheduleConfig


class SequenceConfig(Section):
    """One pipeline: which labels to learn of which sequences, with which model, and where it goes.

    `classify` learns one label for each sequence, `tag` one for every step, `next_step` the symbol
    that follows each one. Paths are relative to the folder of the configuration file. `schema` in
    the file is the field `schema_file` here.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    name: str = Field(description="of the pipeline, the served model and the registered model")
    workspace: str = Field(default="./workspace", min_length=1, description="folder of all state")
    data: SequenceDataConfig
    task: Literal["classify", "tag", "next_step"] = Field(description="what is learned")
    inputs: SequenceInputs
    target: str | None = Field(
        default=None, min_length=1, description="column of labels; next_step has none"
    )
    split: SequenceSplitConfig = SequenceSplitConfig()
    model: SequenceModelConfig = SequenceModelConfig()
    train: SequenceTrainConfig = SequenceTrainConfig()
    baselines: SequenceBaselinesConfig = SequenceBaselinesConfig()
    gate: SequenceGateConfig = SequenceGateConfig()
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
    def _sections_agree(self) -> SequenceConfig:
        found = problems(self)
        if found:
            raise PydanticCustomError(
                "sections_disagree", "{text}", {"text": "; ".join(map(str, found)), "all": found}
            )
        return self

    @property
    def spec(self) -> SequenceSpec:
        """Task, inputs and target as one section."""
        return SequenceSpec(task=self.task, inputs=self.inputs, target=self.target)

    @property
    def digest(self) -> str:
        """32 hexadecimal digits of the canonical configuration; the same for equal ones."""
        return digest(self)

    @property
    def training_digest(self) -> str:
        """Digest of what a trained model depends on: not the gate, serving or tracking."""
        return digest_of_parts(self, ("data", "split", "spec", "model", "train"))
