"""A plan on a real disk: what goes, what stays, links, sizes, and a kill at every step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.housekeeping.lineage import Artifact, Execution, Lineage, needed
from components.housekeeping.plan import Plan, make_plan
from components.housekeeping.sizes import freed_by, size_of
from components.housekeeping.sweep import sweep
from tests.components.housekeeping.histories import OTHER, OWN, histories, run_id


class Killed(BaseException):
    """Stands for SIGKILL."""


class Metadata:
    """A `Lineage` whose artifacts can be marked as deleted."""

    def __init__(self, lineage: Lineage) -> None:
        self.lineage = lineage

    def mark(self, ids: Sequence[int]) -> None:
        known = dict(self.lineage.artifacts)
        known.update({i: replace(known[i], live=False) for i in ids})
        self.lineage = Lineage(known, self.lineage.executions)


def fill(lineage: Lineage) -> None:
    for artifact in lineage.artifacts.values():
        folder = Path(artifact.uri)
        (folder / "deep").mkdir(parents=True, exist_ok=True)
        (folder / "deep" / "file").write_text(f"of {artifact.id}")
    for execution in lineage.executions:
        for artifact in execution.outputs:
            node = Path(lineage.artifacts[artifact].uri).parent.parent
            work = node / ".system" / "executor_execution" / str(execution.id)
            work.mkdir(parents=True, exist_ok=True)


def plan_of(workspace: Path, lineage: Lineage, runs: set[str], recent: str = "") -> Plan:
    kept = needed(lineage, {OWN}, runs)
    return make_plan(workspace, lineage, own={OWN}, runs=runs, kept=kept, recent=recent)


def contents(workspace: Path) -> set[str]:
    return {str(p.relative_to(workspace)) for p in workspace.rglob("*") if p.is_file()}


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder).resolve() / "work"


@settings(max_examples=60)
@given(st.data())
def test_what_is_kept_is_whole_and_what_is_not_is_gone(data: st.DataObject) -> None:
    with scratch() as workspace:
        lineage = data.draw(histories(str(workspace / "artifacts")))
        workspace.mkdir()
        fill(lineage)
        everything = lineage.runs({OWN})
        runs = data.draw(st.sets(st.sampled_from(everything))) if everything else set()
        kept = needed(lineage, {OWN}, runs)
        metadata, stop = Metadata(lineage), data.draw(st.integers(0, 12))

        def kill(_: str) -> None:
            nonlocal stop
            stop -= 1
            if stop < 0:
                raise Killed

        def hold() -> None:
            for artifact in metadata.lineage.artifacts.values():
                if artifact.live:  # never live without its files, whenever it was killed
                    text = Path(artifact.uri, "deep", "file").read_text()
                    assert text == f"of {artifact.id}"

        try:
            sweep(plan_of(workspace, lineage, runs), metadata.mark, checkpoint=kill)
        except Killed:
            hold()
        first = plan_of(workspace, metadata.lineage, runs)
        assert sweep(first, metadata.mark).problems == ()
        hold()
        foreign = {e.id for e in lineage.executions if e.pipeline == OTHER}
        for artifact in lineage.artifacts.values():
            there = Path(artifact.uri).exists()
            maker = int(Path(artifact.uri).name)
            in_kept_run = any(e.id == maker and e.run in runs for e in lineage.executions)
            if artifact.live:
                assert there is (artifact.id in kept or maker in foreign)
            else:  # torn: stays for people to look at as long as its run does
                assert there is (in_kept_run or maker in foreign or artifact.id in _seen(lineage))
        assert plan_of(workspace, metadata.lineage, runs).items == ()


def _seen(lineage: Lineage) -> set[int]:
    """Artifacts that the other pipeline touches."""
    return {i for e in lineage.executions if e.pipeline == OTHER for i in (*e.inputs, *e.outputs)}


def small(workspace: Path) -> tuple[Lineage, Callable[..., Plan]]:
    """Two runs of one node; the second is kept."""
    artifacts = {
        n: Artifact(n, str(workspace / "artifacts" / "train" / "model" / str(n))) for n in (1, 2)
    }
    executions = tuple(
        Execution(n, OWN, run_id(n), "train", outputs=frozenset({n})) for n in artifacts
    )
    lineage = Lineage(artifacts, executions)
    workspace.mkdir(parents=True)
    fill(lineage)

    def plan(**more: Any) -> Plan:
        return make_plan(
            workspace, lineage, own={OWN}, runs={run_id(2)}, kept={2},
            **{"recent": run_id(2), **more},
        )  # fmt: skip

    return lineage, plan


def test_the_old_goes_and_the_new_stays(tmp_path: Path) -> None:
    work = tmp_path / "work"
    _, plan = small(work)
    node = work / "artifacts" / "train"
    (node / "model" / ".1.partial").mkdir()
    (node / "model" / ".2.partial").mkdir()
    (node / "model" / "77").mkdir()  # of an execution that no database knows
    (node / "model" / "notes").mkdir()  # nobody's
    for name in ("logs", "reports"):
        (work / name).mkdir()
        for run in (run_id(1), run_id(2), run_id(3)):
            (work / name / f"{run}.log").touch()
        (work / name / "mine.log").touch()
    for age, name in ((1, "old"), (3, "new")):
        file = node / "checkpoints" / name / "epoch-000001" / "weights.npz"
        file.parent.mkdir(parents=True)
        file.touch()
        at = datetime.strptime(run_id(age), "%Y-%m-%dT%H-%M-%S.%f").replace(tzinfo=UTC)
        for path in (file, file.parent, file.parent.parent):
            os.utime(path, (at.timestamp(), at.timestamp()))
    found = {(i.kind, str(i.path.relative_to(work))) for i in plan().items}
    assert found == {
        ("artifact", "artifacts/train/model/1"),
        ("leftover", "artifacts/train/model/.1.partial"),
        ("leftover", "artifacts/train/model/.2.partial"),
        ("leftover", "artifacts/train/model/77"),
        ("leftover", "artifacts/train/.system/executor_execution/1"),
        ("state", "artifacts/train/checkpoints/old"),
        ("log", f"logs/{run_id(1)}.log"),
        ("report", f"reports/{run_id(1)}.log"),
    }
    assert sweep(plan(), lambda _: None).problems == ()
    # Only the row in ML Metadata, which is not marked here.
    assert [item.kind for item in plan().items] == ["artifact"]


@pytest.mark.parametrize("where", ["work", "artifacts", "train", "model"])
def test_no_link_leads_out_of_the_workspace(tmp_path: Path, where: str) -> None:
    work = tmp_path / "work"
    _, plan = small(work)
    linked = {
        "work": work,
        "artifacts": work / "artifacts",
        "train": work / "artifacts" / "train",
        "model": work / "artifacts" / "train" / "model",
    }[where]
    elsewhere = tmp_path / "elsewhere"
    linked.rename(elsewhere)
    linked.symlink_to(elsewhere)
    before = contents(elsewhere)
    made = plan()
    sweep(made, lambda _: None)
    if where == "work":  # the workspace itself may be a link: it is still the workspace
        assert contents(elsewhere) < before
    else:
        assert contents(elsewhere) == before
        assert "leads out of the workspace" in made.notes[0]


def test_a_link_is_removed_and_not_what_it_points_to(tmp_path: Path) -> None:
    work, precious = tmp_path / "work", tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    lineage, plan = small(work)
    (Path(lineage.artifacts[1].uri) / "link").symlink_to(precious)
    (work / "artifacts" / "train" / "model" / "77").symlink_to(precious)
    sweep(plan(), lambda _: None)
    assert (precious / "file").read_text() == "mine"
    assert not os.path.lexists(work / "artifacts" / "train" / "model" / "77")


def test_a_workspace_that_was_moved_loses_nothing_at_its_old_place(tmp_path: Path) -> None:
    lineage, _ = small(tmp_path / "old")
    new = tmp_path / "new"
    new.mkdir()
    before = contents(tmp_path / "old")
    plan = make_plan(new, lineage, own={OWN}, runs={run_id(2)}, kept={2}, recent=run_id(2))
    assert plan.items == ()
    assert contents(tmp_path / "old") == before


def test_an_artifact_that_stands_in_another_one_keeps_it(tmp_path: Path) -> None:
    lineage, _ = small(tmp_path / "work")
    inner = Artifact(3, lineage.artifacts[1].uri + "/deep")
    whole = Lineage({**lineage.artifacts, 3: inner}, lineage.executions)
    plan = make_plan(
        tmp_path / "work", whole, own={OWN}, runs={run_id(2)}, kept={2, 3}, recent=run_id(2)
    )
    assert all(item.kind != "artifact" for item in plan.items)


def test_what_cannot_be_removed_is_said_and_the_rest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.housekeeping import sweep as module

    lineage, plan = small(tmp_path / "work")
    real = module.shutil.rmtree

    def refuse(path: Path) -> None:
        if path.name == "1" and path.parent.name == "model":
            raise PermissionError(13, "Permission denied")
        real(path)

    monkeypatch.setattr(module.shutil, "rmtree", refuse)
    swept = sweep(plan(), lambda _: None)
    assert swept.problems == (
        f"{lineage.artifacts[1].uri} could not be removed: Permission denied",
    )
    assert len(swept.removed) == 1


def test_sizes_count_a_file_once_and_only_what_gets_free(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for folder in (one, two, three):
        folder.mkdir()
    (one / "a").write_bytes(b"x" * 1000)
    os.link(one / "a", two / "a")
    os.link(one / "a", one / "again")
    (two / "b").write_bytes(b"x" * 10)
    (three / "link").symlink_to(one / "a")
    assert [size_of(folder) for folder in (one, two, three)] == [1000, 1010, 0]
    assert freed_by([one]) == 0
    assert freed_by([two]) == 10
    assert freed_by([one, two]) == 1010
    assert freed_by([tmp_path / "nothing"]) == 0
