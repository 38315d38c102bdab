"""`Described`: one version of a served model, as it describes itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.history.recipe import WindowRecipe

SIGNATURE = "describe"
INPUT, OUTPUT = "rows", "metadata"


@dataclass(frozen=True)
class Described:
    """What a version says about itself through its signature `describe`.

    Attributes:
        model: The model's name.
        version: Which version said it.
        text: JSON.
    """

    model: str
    version: int
    text: str

    @property
    def called(self) -> str:
        """How messages call it."""
        return f"version {self.version} of model {self.model!r}"

    @property
    def digest(self) -> str:
        """64 hexadecimal digits of what it says."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The metadata, as in `elman.json`, without what differs from run to run.

        Raises:
            BadInputError: If it is no JSON object.
        """
        try:
            found = json.loads(self.text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise BadInputError(
                f"{self.called} does not describe itself in JSON; is it a forecaster of Elman's?"
            )
        return found

    @cached_property
    def recipe(self) -> WindowRecipe:
        """How its windows are made.

        Raises:
            BadInputError: If it does not say so in a way that is known.
        """
        return WindowRecipe.of(self.metadata, self.called)

    def tensors(self, columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Inputs by tensor, of inputs by column."""
        names, types = self.metadata["inputs"], self.metadata["input_types"]
        return {
            names[column]: (
                np.asarray(values, object)
                if types[column] == "string"
                else np.asarray(values, types[column])
            )
            for column, values in columns.items()
        }

    @property
    def outputs(self) -> tuple[str, ...]:
        """The tensors of the targets, in their order."""
        return tuple(self.metadata["outputs"][t] for t in self.recipe.roles.targets)
