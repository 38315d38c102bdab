"""`StoredSequenceBaselines`: predictions and models of baselines on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import FailedRunError

if TYPE_CHECKING:
    from models.sequences.predictions import SequencePredictions

FORMAT = 1
MARKER = "baselines.json"


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
        content = {
            "format": FORMAT,
            "sequences": self.sequences,
            "outcomes": self.outcomes,
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
        text = json.dumps(content, indent=1, ensure_ascii=False)
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(self.folder / MARKER)

    @classmethod
    def load(cls, folder: Path) -> StoredSequenceBaselines:
        """The baselines in `folder`.

        Raises:
            FailedRunError: If `folder` holds no finished baselines, or those of another format.
        """
        try:
            content = json.loads((folder / MARKER).read_text(encoding="utf-8"))
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
            sequences=content["sequences"],
            outcomes=content["outcomes"],
            facts={name: entry["facts"] for name, entry in entries.items()},
            seconds={name: entry["seconds"] for name, entry in entries.items()},
            refusals={n: entry["refusal"] for n, entry in entries.items() if entry["refusal"]},
        )


def file_of(name: str) -> str:
    """File of the predictions of a baseline."""
    return f"predictions-{name}.npz"


def model_of(folder: Path, name: str) -> Path:
    """Folder of the exported model of a baseline."""
    return folder / "models" / name
