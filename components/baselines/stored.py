"""`StoredBaselines`: predictions of baselines on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.baselines.marker import model_of, read_marker, write_marker


@dataclass(frozen=True)
class StoredBaselines:
    """What the node `baselines` wrote.

    Attributes:
        folder: The artifact.
        windows: Test windows that were forecast.
        season: Steps in a season.
        facts: By baseline, in the order in which they were configured, what was fitted.
        seconds: By baseline, the time to fit and to predict.
        refusals: By baseline, why it cannot be served; those that can be are left out.
    """

    folder: Path
    windows: int
    season: int
    facts: Mapping[str, Mapping[str, Any]]
    seconds: Mapping[str, float]
    refusals: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the baselines, in the order in which they were configured."""
        return tuple(self.facts)

    def predictions(self, name: str) -> npt.NDArray[np.float32]:
        """Forecasts of `name`, float32 `[windows, horizon, targets]`, memory-mapped."""
        array: npt.NDArray[np.float32] = np.load(
            self.folder / file_of(name), mmap_mode="r", allow_pickle=False
        )
        return array

    def model(self, name: str) -> Path | None:
        """Folder of `name`, laid out like a Model artifact; None if it cannot be served."""
        return None if name in self.refusals else model_of(self.folder, name)

    def save_marker(self) -> None:
        """Writes `baselines.json`, after all predictions."""
        counts = {"windows": self.windows, "season": self.season}
        write_marker(self.folder, counts, self.facts, self.seconds, self.refusals)

    @classmethod
    def load(cls, folder: Path) -> StoredBaselines:
        """The baselines in `folder`.

        Raises:
            FailedRunError: If `folder` holds no finished baselines, or those of another format.
        """
        return cls(folder=folder, **read_marker(folder))


def file_of(name: str) -> str:
    """File of the predictions of a baseline."""
    return f"predictions-{name}.npy"
