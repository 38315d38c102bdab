"""`StoredSequenceBaselines`: predictions and models of baselines on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.baselines.marker import model_of, read_marker, write_marker

if TYPE_CHECKING:
    from models.sequences.predictions import SequencePredictions


@dataclass(frozen=True)
class StoredSequenceBaselines:
    """What the node `baselines` of a sequence task wrote.

    Attributes:
        folder: The artifact.
        sequences: Test sequences that were predicted.
        outcomes: Labels of them: one of each sequence for classify, else one of each step.
        facts: By baseline, the plainest first or as configured, what was fitted.
        seconds: By baseline, the time to fit and to predict.
        refusals: By baseline, why it cannot be served; those that can be are left out.
    """

    folder: Path
    sequences: int
    outcomes: int
    facts: Mapping[str, Mapping[str, Any]]
    seconds: Mapping[str, float]
    refusals: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the baselines, in their order."""
        return tuple(self.facts)

    def predictions(self, name: str) -> SequencePredictions:
        """What `name` said of every label of the test sequences, in the order of their view.

        Raises:
            FailedRunError: If the file is missing, or none of ours.
        """
        from models.sequences.predictions import SequencePredictions

        return SequencePredictions.load(self.folder / file_of(name))

    def model(self, name: str) -> Path | None:
        """Folder of `name`, laid out like a Model artifact; None if it cannot be served."""
        return None if name in self.refusals else model_of(self.folder, name)

    def save_marker(self) -> None:
        """Writes `baselines.json`, after everything else."""
        counts = {"sequences": self.sequences, "outcomes": self.outcomes}
        write_marker(self.folder, counts, self.facts, self.seconds, self.refusals)

    @classmethod
    def load(cls, folder: Path) -> StoredSequenceBaselines:
        """The baselines in `folder`.

        Raises:
            FailedRunError: If `folder` holds no finished baselines, or those of another format.
        """
        return cls(folder=folder, **read_marker(folder))


def file_of(name: str) -> str:
    """File of the predictions of a baseline."""
    return f"predictions-{name}.npz"
