"""What must hold after any kill and after any run, read with sqlite and plain files only."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos.pipeline import NAME

NEW, RUNNING, COMPLETE, CACHED = 1, 2, 3, 5
"""States of an execution in ML Metadata."""
LIVE = 2
"""State of an artifact there."""


@dataclass
class Judge:
    """Looks at one workspace.

    Attributes:
        work: The workspace.
        seen: Digest of each finished artifact when it was first seen.
        models: Digests of all models that a finished component has ever given out.
    """

    work: Path
    seen: dict[str, str] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)

    def after_kill(self) -> list[str]:
        """What is wrong right after a kill: versions, locks, artifacts."""
        return [*self._versions(), *self._locks(), *self._artifacts()]

    def after_run(self) -> list[str]:
        """What is wrong after a run that ended by itself: the same, and rows left open."""
        wrong = self.after_kill()
        for name, sql in (
            ("mlflow/mlflow.db", "select count(*) from runs where status = 'RUNNING'"),
            (
                "metadata.db",
                f"select count(*) from Execution where last_known_state in ({NEW}, {RUNNING})",
            ),
        ):
            [(count,)] = self._query(name, sql)
            if count:
                wrong.append(f"{count} rows of {name} are left RUNNING")
        statuses = [json.loads(line)["status"] for line in self._ledger()]
        if statuses[-1:] != ["finished"]:
            wrong.append(f"the last line of runs.jsonl says {statuses[-1:]}")
        left = [p.name for p in self.serving.glob(".staging*")]
        if left:
            wrong.append(f"half copies are left: {left}")
        return wrong

    @property
    def serving(self) -> Path:
        """The model directory."""
        return self.work / "serving" / NAME

    def live(self) -> Path | None:
        """The version that a model server would serve."""
        found = self._numbers()
        return self.serving / str(max(found)) if found else None

    def _numbers(self) -> list[int]:
        if not self.serving.is_dir():
            return []
        return [int(p.name) for p in self.serving.iterdir() if p.name.isdigit()]

    def _versions(self) -> list[str]:
        """Every version is, file by file, a model that some finished component has written."""
        self.models |= {
            digest(folder)
            for artifact in self.finished()
            for folder in Path(artifact).glob("Format-Serving")
        }
        wrong = []
        for number in self._numbers():
            folder = self.serving / str(number)
            if not (folder / "saved_model.pb").is_file():
                wrong.append(f"version {number} has no saved_model.pb")
            elif digest(folder) not in self.models:
                wrong.append(f"version {number} is not the copy of a finished model")
        return wrong

    def _locks(self) -> list[str]:
        wrong = []
        for file in (self.work / ".lock", self.serving / ".lock"):
            if not file.exists():
                continue
            handle = os.open(file, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wrong.append(f"{file} is still held")
            finally:
                os.close(handle)
        return wrong

    def _artifacts(self) -> list[str]:
        """No finished execution gives out what an unfinished one has written, or what changed."""
        if not (self.work / "metadata.db").exists():
            return []
        states = dict(self._query("metadata.db", "select id, last_known_state from Execution"))
        wrong = []
        for uri in self.finished():
            made = Path(uri).name  # TFX: <node>/<key>/<execution>
            if made.isdigit() and states.get(int(made)) != COMPLETE:
                wrong.append(f"{uri} was taken from execution {made}, which did not finish")
            now = digest(Path(uri))
            if self.seen.setdefault(uri, now) != now:
                wrong.append(f"{uri} was changed after it was finished")
        return wrong

    def finished(self) -> list[str]:
        """Folders of all live artifacts that finished or cached executions gave out."""
        if not (self.work / "metadata.db").exists():
            return []
        rows = self._query(
            "metadata.db",
            "select distinct Artifact.uri from Artifact join Event on artifact_id = Artifact.id "
            "join Execution on Execution.id = execution_id where Event.type = 4 "
            f"and Artifact.state = {LIVE} and last_known_state in ({COMPLETE}, {CACHED})",
        )
        return sorted(uri for (uri,) in rows if Path(uri).is_dir())

    def _ledger(self) -> list[str]:
        file = self.work / "runs.jsonl"
        return [line for line in file.read_text().split("\n") if line] if file.exists() else []

    def _query(self, name: str, sql: str) -> list[tuple[int, ...]]:
        file = self.work / name
        if not file.exists():
            return []
        connection = sqlite3.connect(file, timeout=30)
        try:
            return connection.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # killed while the database was made
                return [] if "count" not in sql else [(0,)]
            raise
        finally:
            connection.close()


def digest(folder: Path) -> str:
    """Of the names and contents of all files below `folder`."""
    total = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(str(file.relative_to(folder)).encode() + b"\0")
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def answers(folder: Path) -> None:
    """Loads a SavedModel as a model server does, and asks it; run it in a process of its own.

    Raises:
        AssertionError: If the answer is not finite.
    """
    import numpy as np
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    serve = loaded.signatures["serving_default"]
    feed = {
        name: tf.ones([2 if d is None else d for d in spec.shape], spec.dtype)
        for name, spec in serve.structured_input_signature[1].items()
    }
    for name, value in serve(**feed).items():
        assert np.isfinite(value.numpy()).all(), f"{name} is not finite"
