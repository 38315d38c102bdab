"""Runs that a killed process has left RUNNING."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from components.tracking.process import is_gone
from components.tracking.store import TrackingStore

WORKSPACE = "elman.workspace"


def workspace_id(workspace: Path) -> str:
    """An id of `workspace` that no other one has, also not a copy of it or one elsewhere."""
    file = workspace / "mlflow" / "workspace-id"
    here = str(workspace.resolve())
    try:
        known, _, path = file.read_text().strip().partition(" ")
    except OSError:
        known, path = "", ""
    if known and path == here:
        return known
    fresh = uuid.uuid4().hex
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.{fresh}")
    temporary.write_text(f"{fresh} {here}\n")
    temporary.replace(file)
    return fresh


def close_orphans(
    store: TrackingStore, experiment_id: str, workspace: str, *, locked: bool
) -> tuple[str, ...]:
    """Marks runs of `workspace` KILLED whose process has ended without finishing them.

    Args:
        store: Where the runs are.
        experiment_id: Their experiment.
        workspace: As `workspace_id` gives it.
        locked: Whether the caller holds the lock of the workspace: then no other process can be
            running there, on whichever host it was.

    Returns:
        Ids of the runs that were closed, parents and nested ones.

    Raises:
        FailedRunError: If the store cannot be used.
    """
    closed = []
    with store.asked("look for runs that were killed"):
        for run in _running(store, experiment_id, workspace):
            tags = run.data.tags
            if not locked and not is_gone(tags):
                continue
            note = (
                f"Killed: process {tags.get('elman.pid', '?')} on {tags.get('elman.host', '?')} "
                "ended without finishing this run; a later run of the workspace closed it."
            )
            before = tags.get("mlflow.note.content", "")
            text = f"{before}\n\n{note}" if before else note
            store.client.set_tag(run.info.run_id, "mlflow.note.content", text)
            store.client.set_tag(run.info.run_id, "elman.status", "killed")
            store.client.set_terminated(run.info.run_id, "KILLED")
            closed.append(run.info.run_id)
    return tuple(closed)


def _running(store: TrackingStore, experiment_id: str, workspace: str) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = store.client.search_runs(
            [experiment_id],
            filter_string=f"attributes.status = 'RUNNING' and tags.`{WORKSPACE}` = '{workspace}'",
            max_results=1000,
            page_token=token,
        )
        found.extend(page)
        token = page.token
        if not token:
            return found
