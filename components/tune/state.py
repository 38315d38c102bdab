"""What a search knows, on disk: whole, or as it was before."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from models.section import Section

FORMAT = 1
FILE = "search.json"
Status = Literal["running", "completed", "failed"]


class TrialRecord(Section):
    """One trial.

    Attributes:
        id: Its number, from 0, as text.
        values: By dotted key, as they would stand in the configuration.
        status: `failed` has a reason in `message`; `running` was interrupted and is run again.
        val_loss: Validation loss of the best epoch; null if there is none.
        best_epoch: That epoch, from 1; 0 if there is none.
        epochs: Epochs it has trained.
        limit: Most epochs it was given (Hyperband), or null.
        seconds: Wall time of its last start.
        message: Why it failed.
        starts: How often it was started.
    """

    id: str
    values: dict[str, Any]
    status: Status = "running"
    val_loss: float | None = None
    best_epoch: int = 0
    epochs: int = 0
    limit: int | None = None
    seconds: float = 0.0
    message: str = ""
    starts: int = 0


@dataclass
class SearchState:
    """All of a search that has to outlive a kill.

    Attributes:
        records: Trials by id, in the order of their first start.
        oracle: What the oracle needs to go on; see `components.tune.oracle`.
        seconds: Wall time spent, over all starts of the search.
    """

    records: dict[str, TrialRecord] = field(default_factory=dict)
    oracle: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def count(self, status: Status) -> int:
        """How many trials have this status."""
        return sum(record.status == status for record in self.records.values())

    def save(self, folder: Path) -> None:
        """Writes the state into `folder` (made if missing) by one rename."""
        folder.mkdir(parents=True, exist_ok=True)
        data = {
            "format": FORMAT,
            "seconds": self.seconds,
            "trials": [record.model_dump(mode="json") for record in self.records.values()],
            "oracle": self.oracle,
        }
        temporary = folder / f".{FILE}.part"
        with temporary.open("w") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> SearchState:
        """The state in `folder`; an empty one where there is none of this format."""
        try:
            data = json.loads((folder / FILE).read_text())
        except FileNotFoundError:
            return cls()
        if data["format"] != FORMAT:
            return cls()
        records = [TrialRecord.model_validate(trial) for trial in data["trials"]]
        return cls({r.id: r for r in records}, data["oracle"], data["seconds"])
