"""`StoredBaselines`: predictions of baselines on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import FailedRunError

FORMAT = 1
MARKER = "baselines.json"


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
        array: npt.NDArray[np.float32] = np.load(self.folder / file_of(name), mmap_mode="r")
        return array

    def model(self, name: str) -> Path | None:
        """Folder of `name`, laid out like a Model artifact; None if it cannot be served."""
        return None if name in self.refusals else model_of(self.folder, name)

    def save_marker(self) -> None:
        """Writes `baselines.json`, after all predictions."""
        content = {
            "format": FORMAT,
            "windows": self.windows,
            "season": self.season,
            "baselines": {
                name: {
                    "seconds": self.seconds[name],
                    "facts": self.facts[name],
                    "refusal": self.refusals.get(name),
                }
                for name in self.facts
            },
        }
        part = self.folder / f"{MARKER}.part"
        part.write_text(json.dumps(content, indent=1) + "\n")
        part.replace(self.folder / MARKER)

    @classmethod
    def load(cls, folder: Path) -> StoredBaselines:
        """The baselines in `folder`.

        Raises:
            FailedRunError: If `folder` holds no finished baselines, or those of another format.
        """
        try:
            content = json.loads((folder / MARKER).read_text())
        except FileNotFoundError:
            raise FailedRunError(
                f"{folder} holds no finished baselines ({MARKER} is missing): run the pipeline "
                "again"
            ) from None
        if content["format"] != FORMAT:
            raise FailedRunError(
                f"{folder}: baselines of format {content['format']}, expected {FORMAT}: run the "
                "pipeline again"
            )
        entries = content["baselines"]
        return cls(
            folder=folder,
            windows=content["windows"],
            season=content["season"],
            facts={name: entry["facts"] for name, entry in entries.items()},
            seconds={name: entry["seconds"] for name, entry in entries.items()},
            refusals={n: entry["refusal"] for n, entry in entries.items() if entry["refusal"]},
        )


def file_of(name: str) -> str:
    """File of the predictions of a baseline."""
    return f"predictions-{name}.npy"


def model_of(folder: Path, name: str) -> Path:
    """Folder of the exported model of a baseline."""
    return folder / "models" / name
