"""What `elman history` shows: who was champion when, what it scored, and how its time ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from components.push import directory
from components.push.figures import figures
from components.push.ledger import Event, Ledger
from components.push.status import NETWORK, RUNS

Ending = Literal["", "replaced", "rolled_back", "removed"]


@dataclass(frozen=True)
class Reign:
    """A stretch of time in which one version served. Times are Unix seconds.

    Attributes:
        version: Which one.
        model: `network`, the name of a baseline, or "" where it is not known.
        since: From when.
        until: Until when; None: it serves now.
        ending: What ended it: a newer version, a rollback, or somebody who took its folder away;
            "" while it serves.
        successor: The version that came after it; None if there was none.
        before: The version that it came after; None for the first one.
        returned: Whether it serves again because a newer one was taken away.
        metrics: On the test split of the run that pushed it.
        verdict: Why the gate blessed it, in a sentence; "" where the run is not known.
        run_id: That run; "" where it is not known.
        mlflow_run_id: That run in MLflow.
    """

    version: int
    model: str
    since: int
    until: int | None
    ending: Ending
    successor: int | None
    before: int | None
    returned: bool
    metrics: Mapping[str, float] = field(default_factory=dict)
    verdict: str = ""
    run_id: str = ""
    mlflow_run_id: str = ""


@dataclass(frozen=True)
class Refused:
    """A finished run of which the gate blessed nothing.

    Attributes:
        at: When it ended, Unix seconds.
        run_id: Which run.
        champion: The version that its candidate was held against; None if there was none.
        metrics: Of the candidate, on the test split.
        verdict: Why, in a sentence.
        mlflow_run_id: The run in MLflow.
    """

    at: int
    run_id: str
    champion: int | None
    metrics: Mapping[str, float]
    verdict: str
    mlflow_run_id: str


@dataclass(frozen=True)
class History:
    """Of one model directory; both lists oldest first."""

    directory: str
    live: int | None
    reigns: tuple[Reign, ...]
    refused: tuple[Refused, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON values, for `--json`."""
        return asdict(self)


def read_history(base: Path, workspace: Path) -> History:
    """The history of the model directory `base`, told with what runs of `workspace` came to.

    What is live is read from the directory alone; its ledger says what was before. Nothing is
    locked or changed, and nothing has to be there.
    """
    runs = list(_runs(workspace / RUNS))
    pushers = {run["pushed"]: run for run in reversed(runs) if isinstance(run.get("pushed"), int)}
    live = max(directory.versions(base), default=None)
    return History(
        directory=str(base),
        live=live,
        reigns=tuple(_reigns(_events(base), live, pushers)),
        refused=tuple(_refused(runs, base)),
    )


def _events(base: Path) -> list[Event]:
    """What happened, oldest first; what a killed process could not write down is added."""
    events = list((Ledger.load(base) or Ledger()).events)
    known = {(event.kind, event.version) for event in events}
    found: list[Event] = []
    gone = directory.rolled_back(base)
    for version, folder in {**gone, **directory.versions(base)}.items():
        if ("pushed", version) not in known:
            found.append(Event("pushed", version, "", version))
        if version in gone and ("rolled_back", version) not in known:
            found.append(Event("rolled_back", version, "", int(folder.stat().st_ctime)))
    return sorted([*events, *found], key=lambda event: event.at) if found else events


def _reigns(
    events: Iterable[Event], live: int | None, pushers: Mapping[int, Mapping[str, Any]]
) -> Iterator[Reign]:
    """Follows which version is the highest one there, event after event."""
    there: set[int] = set()
    changes: list[tuple[int, int | None, bool]] = []  # when, the version from then on, returned
    at = 0
    for event in events:
        before, at = max(there, default=None), event.at
        if event.kind == "pushed":
            there.add(event.version)
        else:
            there.discard(event.version)
        now = max(there, default=None)
        if now != before:
            changes.append((at, now, event.kind != "pushed"))
    now = max(there, default=None)
    if now != live:  # folders were moved by hand: since when is not known
        changes.append((at, live, live is not None and now is not None and live < now))
    for position, (since, version, returned) in enumerate(changes):
        if version is None:
            continue
        after = changes[position + 1] if position + 1 < len(changes) else None
        before = changes[position - 1][1] if position else None
        run = pushers.get(version, {})
        yield Reign(
            version=version,
            model=_model(run),
            since=since,
            until=None if after is None else after[0],
            ending=_ending(version, after),
            successor=None if after is None else after[1],
            before=before,
            returned=returned,
            metrics=figures(run.get("metrics")),
            verdict=str(run.get("verdict") or ""),
            run_id=str(run.get("run_id") or ""),
            mlflow_run_id=str(run.get("mlflow_run_id") or ""),
        )


def _ending(version: int, after: tuple[int, int | None, bool] | None) -> Ending:
    if after is None:
        return ""
    successor = after[1]
    if successor is None:
        return "removed"
    return "replaced" if successor > version else "rolled_back"


def _refused(runs: Sequence[Mapping[str, Any]], base: Path) -> Iterator[Refused]:
    for run in runs:
        if run.get("status") != "finished" or run.get("winner") or run.get("pushed"):
            continue
        metrics = figures(run.get("metrics"))
        champion = _champion(run)
        # A run that trained nothing has no figures. Several configurations may share a workspace.
        if not metrics or (champion and Path(str(champion.get("path"))).parent != base):
            continue
        yield Refused(
            at=_seconds(run.get("ended")),
            run_id=str(run.get("run_id") or ""),
            champion=champion.get("version"),
            metrics=metrics,
            verdict=str(run.get("verdict") or ""),
            mlflow_run_id=str(run.get("mlflow_run_id") or ""),
        )


def _model(run: Mapping[str, Any]) -> str:
    winner = str(run.get("winner") or "")
    return NETWORK if winner == "candidate" else winner


def _champion(run: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(str(run.get("champion") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(text: Any) -> int:
    try:
        return int(datetime.fromisoformat(str(text)).timestamp())
    except ValueError:
        return 0


def _runs(file: Path) -> Iterator[dict[str, Any]]:
    """All runs in `file`, oldest first; lines torn by a kill are passed over."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            run = json.loads(line)
        except ValueError:
            continue
        if isinstance(run, dict):
            yield run
