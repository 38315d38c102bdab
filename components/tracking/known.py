"""Which tracking stores a workspace has reached before, and the ids of experiments in them.

A store that was reached once and does not answer now is away; one that never was may be a wrong
address, which a person should hear of at once.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from components.tracking.outbox import FOLDER

NAME = "experiments.json"


def store_folder(workspace: Path, shown: str) -> Path:
    """Where the workspace keeps what it knows of, and has for, the store with that address.

    Args:
        workspace: Of the pipeline.
        shown: The address without its secrets.
    """
    key = hashlib.sha256(shown.encode()).hexdigest()[:12]
    return workspace.resolve() / "mlflow" / FOLDER / key


def experiments(folder: Path) -> dict[str, str]:
    """Id of each experiment that was opened in the store, by name; empty if none was."""
    try:
        return dict(json.loads((folder / NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def remember(folder: Path, name: str, experiment_id: str) -> None:
    """Notes the id of the experiment `name`.

    Raises:
        OSError: If it cannot be written.
    """
    found = experiments(folder)
    if found.get(name) == experiment_id:
        return
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{NAME}.new"
    temporary.write_text(json.dumps({**found, name: experiment_id}))
    temporary.replace(folder / NAME)
