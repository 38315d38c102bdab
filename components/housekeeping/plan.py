"""`Plan`: what may be removed from a workspace, and what stays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from components.housekeeping.lineage import Lineage
from components.housekeeping.sizes import freed_by, newest_change, size_of

Kind = Literal["artifact", "leftover", "state", "log", "report", "staging"]
RUN_ID = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{6}")
_RUN_TIME = "%Y-%m-%dT%H-%M-%S.%f"
_ID = re.compile(r"(\d+)|\.(\d+)\.partial")
RESUMED = ("checkpoints", "searches")
"""Folders of a node in which a killed execution leaves what the next one goes on from."""


@dataclass(frozen=True)
class Item:
    """Something that may be removed.

    Attributes:
        path: A folder or file in the workspace.
        kind: `artifact`: of an old run. `leftover`: of an execution that was killed, has failed, or
            belongs to an old run. `state`: checkpoints and searches that nothing goes on from.
            `log` and `report`: of an old run. `staging`: half-written versions in the model
            directory.
        node: The component it belongs to; empty if to none.
        artifacts: Ids in ML Metadata that are to be marked as deleted first.
    """

    path: Path
    kind: Kind
    node: str = ""
    artifacts: tuple[int, ...] = ()

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return size_of(self.path)


@dataclass(frozen=True)
class Plan:
    """What is removed and what stays.

    Attributes:
        items: To be removed.
        kept: Folders of the artifacts that stay.
        runs: Ids of the runs that stay, oldest first.
        notes: What was left alone and why, for people.
    """

    items: tuple[Item, ...]
    kept: tuple[Path, ...]
    runs: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def freed(self) -> int:
        """Bytes that are free once all items are gone."""
        return freed_by(item.path for item in self.items)

    @cached_property
    def kept_size(self) -> int:
        """Bytes of what stays; a file that two artifacts share is counted for both."""
        return sum(map(size_of, self.kept))

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "items": [
                {"path": str(i.path), "kind": i.kind, "node": i.node, "bytes": i.size}
                for i in self.items
            ],
            "freed_bytes": self.freed,
            "kept": [str(path) for path in self.kept],
            "kept_bytes": self.kept_size,
            "kept_runs": list(self.runs),
            "notes": list(self.notes),
        }


def make_plan(
    workspace: Path,
    lineage: Lineage,
    *,
    own: Set[str],
    runs: Collection[str],
    kept: Set[int],
    recent: str,
    staging: Collection[Path] = (),
    left: Collection[Path] = (),
) -> Plan:
    """What may go, given which artifacts and runs have to stay. Reads the workspace only.

    Nothing outside the workspace is ever part of a plan, not even through a symbolic link.

    Args:
        workspace: The workspace, absolute.
        lineage: All of it.
        own: Names of the pipelines that may lose something.
        runs: Ids of the runs that stay.
        kept: Ids of the artifacts that stay.
        recent: Id of the oldest of the newest runs; what was left to be resumed since then stays.
            Empty: all of it stays.
        staging: Half-written versions in the model directory.
        left: What killed runs have left elsewhere in the workspace.
    """
    base = workspace.resolve()
    outside: set[Path] = set()

    def inside(path: Path) -> bool:
        if not path.is_relative_to(workspace):
            return False  # an absolute path that has nothing to do with us, or an older place
        if path.parent.resolve().is_relative_to(base):
            return True
        outside.add(path.parent)
        return False

    stays = {Path(a.uri) for a in lineage.artifacts.values() if a.id in kept and a.live}
    artifacts = [i for i in _artifacts(lineage, own, stays, kept) if inside(i.path)]
    taken = {item.path for item in artifacts} | stays
    items = [
        *artifacts,
        *(i for i in _leftovers(lineage, own, runs) if i.path not in taken and inside(i.path)),
        *(i for i in _states(lineage, own, recent) if inside(i.path)),
        *(i for i in _by_run(workspace, lineage, own, runs, recent) if inside(i.path)),
        *(Item(path, "leftover") for path in left if inside(path)),
        *(Item(path, "staging") for path in staging),
    ]
    return Plan(
        items=tuple(items),
        kept=tuple(sorted(path for path in stays if path.exists())),
        runs=tuple(sorted(runs)),
        notes=tuple(
            f"{path} leads out of the workspace, to {path.resolve()}; nothing there is removed"
            for path in sorted(outside)
        ),
    )


def _artifacts(lineage: Lineage, own: Set[str], stays: Set[Path], kept: Set[int]) -> Iterator[Item]:
    ours = {i for e in lineage.executions if e.pipeline in own for i in e.outputs}
    nodes = {i: e.node for e in reversed(lineage.executions) for i in e.outputs}
    by_path: dict[Path, list[int]] = {}
    for artifact in lineage.artifacts.values():
        if artifact.id in ours and artifact.id not in kept and artifact.live and artifact.uri:
            by_path.setdefault(Path(artifact.uri), []).append(artifact.id)
    for path, ids in by_path.items():
        # An artifact may stand in the folder of another one.
        if not any(other.is_relative_to(path) for other in stays):
            yield Item(path, "artifact", nodes.get(ids[0], ""), tuple(ids))


def _leftovers(lineage: Lineage, own: Set[str], runs: Collection[str]) -> Iterator[Item]:
    """Folders named after executions of which nothing is kept, and torn ones of any execution."""
    executions = {e.id: e for e in lineage.executions}
    foreign = {Path(lineage.artifacts[i].uri) for i in _touched(lineage, own, ours=False)}
    for slot, node in _slots(lineage, own).items():
        for path in _entries(slot):
            match = _ID.fullmatch(path.name)
            if match is None or path in foreign:
                continue
            if match[2] is not None:  # written beside its place by an execution that was killed
                yield Item(path, "leftover", node)
                continue
            execution = executions.get(int(match[1]))
            if execution is None or (execution.pipeline in own and execution.run not in runs):
                yield Item(path, "leftover", node)


def _states(lineage: Lineage, own: Set[str], recent: str) -> Iterator[Item]:
    if not recent:
        return
    since = datetime.strptime(recent, _RUN_TIME).replace(tzinfo=UTC).timestamp()
    for folder, node in _nodes(lineage, own).items():
        for name in RESUMED:
            for path in _entries(folder / name):
                if newest_change(path) < since:
                    yield Item(path, "state", node)


def _by_run(
    workspace: Path, lineage: Lineage, own: Set[str], runs: Collection[str], recent: str
) -> Iterator[Item]:
    """Logs and reports of old runs. Those of runs that failed early are in no other place."""
    others = {e.run for e in lineage.executions if e.pipeline not in own}
    kinds: tuple[tuple[Kind, str], ...] = (("log", "logs"), ("report", "reports"))
    for kind, folder in kinds:
        for path in _entries(workspace / folder):
            match = RUN_ID.match(path.name)
            if match is None or match[0] in runs or match[0] in others:
                continue
            if match[0] < recent:
                yield Item(path, kind)


def _slots(lineage: Lineage, own: Set[str]) -> Mapping[Path, str]:
    """Folders whose entries are named after executions, and the node they belong to."""
    found: dict[Path, str] = {}
    for folder, node in _nodes(lineage, own).items():
        for key in _entries(folder):
            if key.name == ".system":
                found |= {part: node for part in _entries(key) if _is_folder(part)}
            elif key.name not in RESUMED and _is_folder(key):
                found[key] = node
    return found


def _nodes(lineage: Lineage, own: Set[str]) -> Mapping[Path, str]:
    """`<pipeline root>/<node>` of each node that has an artifact `<node>/<key>/<execution>`."""
    found = {}
    for execution in lineage.executions:
        for artifact in execution.outputs if execution.pipeline in own else ():
            folder = Path(lineage.artifacts[artifact].uri).parent.parent
            if folder.name == execution.node:
                found[folder] = execution.node
    return found


def _touched(lineage: Lineage, own: Set[str], *, ours: bool) -> set[int]:
    return {
        artifact
        for execution in lineage.executions
        if (execution.pipeline in own) is ours
        for artifact in (*execution.inputs, *execution.outputs)
    }


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
