"""`runs.jsonl` in the workspace: one line for every run that came to an end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from components.spans.summary import SpansSummary
from models.section import Section

NAME = "runs.jsonl"


class LedgerEntry(Section):
    """What one run came to.

    Attributes:
        run_id: The pipeline run's id (UTC time stamp).
        key: Digest of configuration, data and code: runs with equal keys make equal models.
        started: UTC time, ISO 8601.
        ended: UTC time, ISO 8601.
        status: How it ended.
        champion: The champion the candidate was held against, as given to the backtest.
        live: The live version after the run, or null.
        pushed: The version this run pushed, or null.
        winner: What the gate blessed: `candidate` or a baseline; empty for nothing.
        metrics: On the test split, of the winner; of the candidate where there is none.
        verdict: One sentence.
        drift: What the monitor found, in a sentence; empty where nothing is watched.
        error: Why a run failed, in a sentence.
        mlflow_run_id: The parent run in MLflow; of the earlier run where nothing was new.
        schema_digest: Of the schema file when the run ended; empty if there was none.
        spans: Which spans were trained on, new, blocked; null where the data comes in one piece.
    """

    run_id: str
    key: str
    started: str
    ended: str
    status: Literal["finished", "failed", "interrupted", "nothing_new"]
    champion: str = ""
    live: int | None = None
    pushed: int | None = None
    winner: str = ""
    metrics: dict[str, float | None] = Field(default_factory=dict)
    verdict: str = ""
    drift: str = ""
    error: str = ""
    mlflow_run_id: str = ""
    schema_digest: str = ""
    spans: SpansSummary | None = None


def append(workspace: Path, entry: LedgerEntry) -> None:
    """Adds `entry` with a single write, so that a kill leaves at most one torn line."""
    line = "\n" + entry.canonical_json() + "\n"
    with (workspace / NAME).open("a") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def entries(workspace: Path) -> Iterator[LedgerEntry]:
    """All entries, oldest first; torn or foreign lines are passed over."""
    path = workspace / NAME
    if not path.exists():
        return
    for line in path.read_text(errors="replace").split("\n"):
        try:
            data: Any = json.loads(line)
            yield LedgerEntry.model_validate(data)
        except ValueError:
            continue


def last_finished(workspace: Path) -> LedgerEntry | None:
    """The newest finished run, or None."""
    found = None
    for entry in entries(workspace):
        if entry.status == "finished":
            found = entry
    return found


def last_with_key(workspace: Path, key: str) -> LedgerEntry | None:
    """The newest finished run that did the same work, or None."""
    found = None
    for entry in entries(workspace):
        if entry.key == key and entry.status == "finished":
            found = entry
    return found
