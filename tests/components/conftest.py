"""A tracking store whose database is migrated once, not once a test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from components.file_lock import file_lock
from components.tracking.store import TrackingStore, open_store


@pytest.fixture(scope="session")
def migrated_database() -> Path:
    """An empty MLflow database; kept between sessions, as MLflow takes seconds to make one."""
    kept = Path(tempfile.gettempdir()) / f"elman-tests-{os.getuid()}"
    kept.mkdir(mode=0o700, exist_ok=True)
    database = kept / f"mlflow-{version('mlflow')}.db"
    with file_lock(kept / ".lock", "template of a tracking store", timeout=300.0):
        if not database.exists():
            with tempfile.TemporaryDirectory(dir=kept) as fresh:
                open_store(None, Path(fresh))
                shutil.move(Path(fresh) / "mlflow" / "mlflow.db", database)
    return database


@pytest.fixture
def new_tracking_store(migrated_database: Path, tmp_path: Path) -> Callable[[str], TrackingStore]:
    """Opens the store of a new workspace, `tmp_path/<name>`."""

    def make(name: str = "workspace") -> TrackingStore:
        folder = tmp_path / name / "mlflow"
        folder.mkdir(parents=True)
        shutil.copyfile(migrated_database, folder / "mlflow.db")
        return open_store(None, tmp_path / name)

    return make


@pytest.fixture
def tracking_store(new_tracking_store: Callable[[str], TrackingStore]) -> TrackingStore:
    """The store of the workspace `tmp_path/workspace`."""
    return new_tracking_store("workspace")
