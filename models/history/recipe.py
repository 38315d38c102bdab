"""`WindowRecipe`: all that turns raw rows into the windows of one model, from its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, field_validator

from models.errors import BadInputError
from models.export.metadata import carries_state, require_forecaster
from models.frequency import Frequency
from models.roles import Roles
from models.section import Section
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore


class RawData(Section):
    """How the raw rows of a model's series are written, and what is done about their holes."""

    time: str = Field(min_length=1, description="column of time stamps")
    series: str | None = Field(default=None, description="column of series ids; null: one series")
    timezone: str = Field(default="UTC", description="zone of time stamps without an offset")
    time_format: str | None = Field(default=None, description="strptime format; null: ISO 8601")
    gaps: GapsConfig = GapsConfig()


class DataDescription(RawData):
    """The key `data` of a model's metadata: its raw rows, and how training filled their holes.

    `boundaries` are the starts of the splits and the end of the last, in Unix seconds: a hole
    that reaches over one is filled with the previous value. `means` are by series what
    `fill: mean` fills each column of `Roles.dynamic` with (null where the series had no value in
    the train split); empty with any other fill.
    """

    boundaries: tuple[int, ...] = Field(default=(), description="splits, Unix seconds")
    means: dict[str, tuple[float | None, ...]] = Field(
        default_factory=dict, description="train means by series, for fill: mean"
    )

    @field_validator("means", mode="before")
    @classmethod
    def _tuples(cls, value: Any) -> Any:
        # JSON has lists only; strict validation wants the tuples that frozen sections hold.
        if not isinstance(value, dict):
            return value
        return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}

    @classmethod
    def of(cls, raw: RawData, store: SeriesStore) -> Self:
        """The description of the data in `store`, which was made from rows as `raw` says."""
        return cls(**dict(raw), boundaries=store.boundaries, means=dict(store.means))


@dataclass(frozen=True)
class WindowRecipe:
    """What a client has to know about a model to make its windows, and nothing else.

    Attributes:
        spec: Lengths of the window.
        roles: Columns by role.
        step: The frequency.
        text: The static covariates that are text.
        data: The raw rows and their holes.
        carries_state: Whether the model was trained and scored on streams from the start of each
            series: one window of it says less than `stream_step` does.
    """

    spec: WindowSpec
    roles: Roles
    step: Frequency
    text: tuple[str, ...]
    data: DataDescription
    carries_state: bool = False

    @classmethod
    def of(cls, metadata: Mapping[str, Any], model: str) -> WindowRecipe:
        """The recipe in a model's metadata.

        Args:
            metadata: As `models.export.metadata.describe` made it.
            model: How messages call the model.

        Raises:
            BadInputError: If the model is no forecaster, or the metadata does not describe the
                data, or not as this version of Elman reads it.
        """
        require_forecaster(metadata, model)
        if "data" not in metadata:
            raise BadInputError(
                f"{model} does not say how its windows are made from raw data: it was exported by "
                "an older version of Elman. Train and push it again (elman run)"
            )
        try:
            return cls(
                spec=WindowSpec.from_json(json.dumps(metadata["spec"])),
                roles=Roles.from_json(json.dumps(metadata["roles"])),
                step=Frequency.parse(metadata["frequency"]),
                text=tuple(metadata["text"]),
                data=DataDescription.from_json(json.dumps(metadata["data"])),
                carries_state=carries_state(metadata),
            )
        except (KeyError, TypeError, ValidationError) as error:
            raise BadInputError(
                f"{model} describes its windows in a way that this version of Elman does not "
                f"read ({_said(error)}); use the version it was exported with, or train and push "
                "it again"
            ) from error

    @cached_property
    def futures(self) -> npt.NDArray[np.bool_]:
        """Which columns of `roles.dynamic` are future covariates, `[columns]`."""
        c = self.roles.covariates
        return np.asarray([name in c.future for name in self.roles.dynamic], np.bool_)

    def means(self, series: str) -> npt.NDArray[np.float64]:
        """What `fill: mean` fills each column of a series with, `[columns]`; nan: as `previous`."""
        known = self.data.means.get(series)
        if known is None:
            return np.full(len(self.roles.dynamic), np.nan)
        return np.asarray([np.nan if m is None else m for m in known], np.float64)


def _said(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__}: {error}"
