"""Which search a state belongs to, and where it is kept."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from components.train.identity import training_digest
from components.train.settings import TrainSettings
from components.tune.candidate import Candidate
from components.tune.config import TuneConfig
from components.tune.state import FILE
from models.features.scaling import Scaling
from models.windows.store import SeriesStore

SEARCHES = "searches"
"""Beside the node's artifacts: a killed execution leaves its search to the next one."""
KEPT = 3
"""Finished or abandoned searches that stay, for `max_trials` may be raised later."""


def search_digest(
    store: SeriesStore, scaling: Scaling, base: Candidate, tune: TuneConfig, code: str
) -> str:
    """Digest of all that the outcome of a trial, and the choice of the next one, depend on.

    The budgets are left out: a search with more of them is the same one, gone on with.

    Returns:
        32 hexadecimal digits.
    """
    settings = TrainSettings(model=base.model, train=base.train)
    budgets = {"max_trials", "max_minutes", "parallel", "every_days"}
    how = tune.model_dump(mode="json", exclude=budgets)
    # Not canonical: KerasTuner draws a value for each key in the order of the file.
    order = list(tune.space)
    text = json.dumps(
        [training_digest(store, scaling, settings, code), json.dumps(how, sort_keys=True), order]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def space_digest(store: SeriesStore, base: Candidate, tune: TuneConfig) -> str:
    """Digest of what was asked, whatever the data: for values found for older data."""
    asked = tune.model_dump(mode="json", include={"algorithm", "space"})
    parts = [
        base.canonical_json(),
        store.roles.canonical_json(),
        store.frequency,
        json.dumps(asked, sort_keys=True),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def search_folder(out: Path, digest: str) -> Path:
    """Where the state of one search is: `<node>/searches/<digest>`.

    Args:
        out: Folder of the output artifact, `<pipeline root>/<node>/<key>/<execution id>`.
        digest: From `search_digest`.
    """
    return out.parent.parent / SEARCHES / digest


def prune(folder: Path) -> None:
    """Removes the oldest searches beside `folder`; the newest `KEPT` stay."""
    others = [other for other in folder.parent.iterdir() if other != folder]
    others.sort(key=_age)
    for old in others[: max(0, len(others) - KEPT)]:
        shutil.rmtree(old, ignore_errors=True)


def _age(folder: Path) -> float:
    file = folder / FILE
    return file.stat().st_mtime if file.exists() else 0.0
