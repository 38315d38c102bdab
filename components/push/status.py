"""What `elman status` shows: the live version, those kept, those rolled back, the last runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.push import directory
from components.push.figures import figures
from components.push.files import is_saved_model
from components.push.ledger import Event, Ledger

if TYPE_CHECKING:
    from rich.console import RenderableType

RUNS = "runs.jsonl"
NETWORK = "network"
METRICS = ("mae", "rmse", "mase", "skill")
SEQUENCE_METRICS = ("accuracy", "macro_f1", "log_loss", "perplexity")


@dataclass(frozen=True)
class Version:
    """One version on disk.

    Attributes:
        version: Its number.
        pushed_at: Unix seconds; its number, where nothing else is known.
        loads: Whether it has the files that a model server needs.
        metrics: By name, from the metadata in the model; empty if it has none.
        train_range: First and last time of the training data, as the model states it, or "".
        run_id: MLflow run that trained it, or "".
        model: `network`, the name of a baseline, or "" for a model that is not ours.
        rolled_back_at: Unix seconds; None unless it was rolled back.
    """

    version: int
    pushed_at: int
    loads: bool
    metrics: Mapping[str, float]
    train_range: str
    run_id: str
    model: str = ""
    rolled_back_at: int | None = None


@dataclass(frozen=True)
class Status:
    """A model directory and the last runs.

    Attributes:
        directory: The model directory.
        live: The version a model server serves; None if there is none.
        versions: Those it can see, newest first.
        rolled_back: Those rolled back and still on disk, newest first.
        runs: The last runs as the runner wrote them down, newest first.
        drift: What the newest run that watched for drift found, with its time; or "".
    """

    directory: str
    live: int | None
    versions: tuple[Version, ...]
    rolled_back: tuple[Version, ...]
    runs: tuple[Mapping[str, Any], ...]
    drift: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON values, for `--json`."""
        return {
            "directory": self.directory,
            "live": self.live,
            "versions": [vars(v) for v in self.versions],
            "rolled_back": [vars(v) for v in self.rolled_back],
            "drift": self.drift,
            "runs": [dict(run) for run in self.runs],
        }


def read_status(base: Path, workspace: Path | None = None, *, runs: int = 5) -> Status:
    """Reads the model directory `base` and the last `runs` runs of `workspace`.

    Nothing is locked or changed, and nothing has to be there: what is missing or torn is left out.
    """
    ledger = Ledger.load(base) or Ledger()
    live, gone = directory.versions(base), directory.rolled_back(base)
    ended = [] if workspace is None else _runs(workspace / RUNS)
    # The newest run that pushed a version knows its test metrics; the model knows those it was
    # exported with.
    scores = {run.get("pushed"): run.get("metrics") for run in reversed(ended)}
    return Status(
        directory=str(base),
        live=max(live, default=None),
        versions=tuple(
            _version(v, live[v], ledger, scores.get(v)) for v in sorted(live, reverse=True)
        ),
        rolled_back=tuple(
            _version(v, gone[v], ledger, scores.get(v), rolled_back=True)
            for v in sorted(gone, reverse=True)
        ),
        runs=tuple(ended[:runs]),
        drift=next((f"{r.get('run_id', '-')}: {r['drift']}" for r in ended if r.get("drift")), ""),
    )


def render(status: Status) -> RenderableType:
    """`status` as tables for a terminal."""
    from rich import box
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    versions = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title=f"Models in {escape(status.directory)}"
    )
    versions.title_justify = "left"
    metrics = _shown(status)
    for heading in ("version", "state", "pushed", *(m.upper() for m in metrics)):
        versions.add_column(heading, justify="right" if heading.lower() in metrics else "left")
    for one in (*status.versions, *status.rolled_back):
        state = "kept"
        if one.rolled_back_at is not None:
            state = f"rolled back {_time(one.rolled_back_at)}"
        elif one.version == status.live:
            state = "[green]live[/]"
        if one.model not in ("", NETWORK):
            state += f", {escape(one.model)}"  # A column of its own would make the table too wide.
        if not one.loads:
            state += " [red](no saved_model.pb: does not load)[/]"
        figures = (one.metrics.get(m) for m in metrics)
        versions.add_row(
            str(one.version),
            state,
            _time(one.pushed_at),
            *("-" if f is None else f"{f:.4g}" for f in figures),
        )
    if not status.versions:
        versions.add_row("-", "nothing is live", "-", *("-" for _ in metrics))
    lines = []
    if status.drift:
        lines += [Text.assemble(("Drift  ", "italic"), status.drift), Text()]
    lines.append(Text("Last runs", style="italic"))
    for run in status.runs:
        words = str(run.get("verdict") or run.get("error") or "")
        pushed = f", pushed {run['pushed']}" if run.get("pushed") else ""
        lines.append(Text(f"{run.get('run_id', '-')}  {run.get('status', '-')}{pushed}: {words}"))
    if not status.runs:
        lines.append(Text("no run has ended yet"))
    return Group(versions, "", *lines)


def _shown(status: Status) -> tuple[str, ...]:
    """The metrics that the models there have: those of forecasts, or those of sequences."""
    known = {name for one in (*status.versions, *status.rolled_back) for name in one.metrics}
    return SEQUENCE_METRICS if known & set(SEQUENCE_METRICS) else METRICS


def _version(
    version: int, folder: Path, ledger: Ledger, scores: Any, *, rolled_back: bool = False
) -> Version:
    about = _metadata(folder)
    pushed, gone = ledger.find("pushed", version), ledger.find("rolled_back", version)
    span = about.get("train_range")
    return Version(
        version=version,
        pushed_at=version if pushed is None else pushed.at,
        loads=is_saved_model(folder),
        metrics=figures(about.get("metrics")) | figures(scores),
        train_range=" to ".join(map(str, span)) if isinstance(span, list) else str(span or ""),
        run_id=str(about.get("run_id") or ""),
        model=str(about.get("baseline") or (NETWORK if about else "")),
        rolled_back_at=_when(folder, gone) if rolled_back else None,
    )


def _when(folder: Path, event: Event | None) -> int:
    # Not written down yet if the rollback was killed: a rename sets the time of the inode change.
    return int(folder.stat().st_ctime) if event is None else event.at


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "assets.extra" / "elman.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _runs(file: Path) -> list[Mapping[str, Any]]:
    """All runs in `file`, newest first; lines torn by a kill are passed over."""
    try:
        lines = file.read_text(errors="replace").split("\n")
    except OSError:
        return []
    found: list[Mapping[str, Any]] = []
    for line in reversed(lines):
        try:
            run = json.loads(line)
        except ValueError:
            continue
        if isinstance(run, dict):
            found.append(run)
    return found


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "-"
