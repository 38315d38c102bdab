"""`Champion`: a version of the serving directory that makes forecasts in this process."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.push.repository import ModelRepository
from models.errors import BadInputError
from models.export.feed import Feed
from models.export.metadata import read_metadata
from models.history.recipe import WindowRecipe

if TYPE_CHECKING:
    from models.export.loaded import LoadedForecaster


class Champion:
    """A pushed model, called as a server calls it; TensorFlow loads it at the first forecast.

    Args:
        directory: The model directory of versions.
        version: Which; None for the live one.

    Attributes:
        version: The version.
        folder: Of the version.

    Raises:
        BadInputError: If there is no such version, or it is no model of Elman's.
    """

    def __init__(self, directory: Path, version: int | None = None) -> None:
        self.version, self.folder = version_folder(directory, version)
        self.recipe = WindowRecipe.of(read_metadata(self.folder), f"version {self.version}")

    def forecast(self, feed: Feed) -> npt.NDArray[np.float32]:
        """Forecasts float32 [windows, horizon, targets] from inputs by column."""
        return self._loaded.forecast(feed)

    @cached_property
    def _loaded(self) -> LoadedForecaster:
        from models.export.loaded import LoadedForecaster

        return LoadedForecaster(self.folder)


def version_folder(directory: Path, version: int | None = None) -> tuple[int, Path]:
    """A pushed version and its folder.

    Args:
        directory: The model directory of versions.
        version: Which; None for the live one.

    Raises:
        BadInputError: If there is no such version.
    """
    repository = ModelRepository(directory)
    there = repository.versions()
    if not there:
        raise BadInputError(
            f"no model is live in {directory}: train and push one first (elman run)"
        )
    chosen = there[-1] if version is None else version
    if chosen not in there:
        raise BadInputError(
            f"there is no version {version} in {directory}; there are "
            f"{', '.join(map(str, there))}, of which {there[-1]} is live"
        )
    return chosen, repository.path(chosen)
