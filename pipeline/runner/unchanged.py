"""Whether a run would only do again what the last one did."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from components.spans.summary import SpansSummary
from models.section import Section
from pipeline.config import LoadedConfig
from pipeline.runner import ledger


class NothingNew(Section):
    """The result of a run that had nothing to do.

    Attributes:
        status: Tells this result from `RunResult`, which has no such key.
        name: The configuration's name.
        run_id: Id of this run, which is in the ledger only.
        earlier: Id of the run that did the same work.
        ended: When that one ended, UTC, ISO 8601.
        verdict: What that one came to, in one sentence.
        blessed: Whether the gate blessed a model in it.
        live: The version that serves, as that one left it; null for none.
        mlflow_run_id: The parent run of that one in MLflow.
        spans: Which spans that one was trained on, and which were blocked and still are; null where
            the data comes in one piece.
    """

    status: Literal["nothing_new"] = "nothing_new"
    name: str
    run_id: str
    earlier: str
    ended: str
    verdict: str
    blessed: bool
    live: int | None
    mlflow_run_id: str
    spans: SpansSummary | None = None

    @property
    def words(self) -> str:
        """One sentence for people."""
        serving = "nothing serves" if self.live is None else f"version {self.live} serves"
        return (
            f"{self.name}: nothing new since run {self.earlier} (data, configuration and code are "
            f"the same, {serving} as that run left it). It came to: {self.verdict}{self._blocked}"
        )

    @property
    def _blocked(self) -> str:
        if self.spans is None or not self.spans.blocked_count:
            return ""
        named = [f"span {one.label}: {one.reason}" for one in self.spans.blocked]
        return f"\nStill blocked until corrected: {'; '.join(named)}"


def nothing_new(loaded: LoadedConfig, key: str, run_id: str, live: int | None) -> NothingNew | None:
    """What the last finished run came to, if a run now would do the same; else None.

    The same means: configuration, data and code as that run had them (its key), the schema file
    as it was when that run ended, and the version live that was live then. A rollback, an edited
    schema or a change and its undoing with a run in between are new.

    Args:
        loaded: The configuration; its workspace is locked, so that no run ends meanwhile.
        key: Of the run that is to start.
        run_id: Of the run that is to start.
        live: The version that serves now, or None.
    """
    last = ledger.last_finished(loaded.workspace)
    if last is None or last.key != key or last.live != live:
        return None
    if last.schema_digest != file_digest(loaded.schema_path):
        return None
    return NothingNew(
        name=loaded.config.name,
        run_id=run_id,
        earlier=last.run_id,
        ended=last.ended,
        verdict=last.verdict,
        blessed=bool(last.winner),
        live=live,
        mlflow_run_id=last.mlflow_run_id,
        spans=None if last.spans is None else last.spans.unchanged(),
    )


def remember(workspace: Path, found: NothingNew, key: str) -> None:
    """Writes the run that had nothing to do into the ledger."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    ledger.append(
        workspace,
        ledger.LedgerEntry(
            run_id=found.run_id,
            key=key,
            started=now,
            ended=now,
            status="nothing_new",
            live=found.live,
            verdict=f"nothing new since run {found.earlier}",
            mlflow_run_id=found.mlflow_run_id,
            spans=found.spans,
        ),
    )


def file_digest(path: Path) -> str:
    """Digest of the file at `path`; empty if there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    except FileNotFoundError:
        return ""
