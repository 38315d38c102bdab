"""Who was champion when, against a record kept while a model directory was used."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from components.push.history import read_history
from components.push.history_table import lines
from components.push.repository import ModelRepository
from models.errors import BadInputError
from pipeline.cli.history import history

START = 1_700_000_000


def model(folder: Path, content: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_text(content)
    return folder


def ran(workspace: Path, **entry: Any) -> None:
    """A line of runs.jsonl."""
    base = {"run_id": "r", "status": "finished", "champion": "", "metrics": {"mae": 0.5}}
    with (workspace / "runs.jsonl").open("a") as file:
        file.write("\n" + json.dumps({**base, **entry}) + "\n")


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["push", "push", "rollback", "retire", "again"]), max_size=14))
def test_reigns_are_those_that_somebody_watching_saw(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        base, clock = workspace / "serving", [START]
        repository = ModelRepository(base)
        saw: list[tuple[int, int | None]] = []  # (when, what is live from then on)
        for number, step in enumerate(steps):
            clock[0] += 10
            if step == "push":
                source = model(workspace / f"model-{number}", f"weights {number}")
                done = repository.push(source, clock=lambda: clock[0])
                ran(workspace, pushed=done.version, winner="candidate", verdict=f"v{number}")
            elif step == "again" and repository.live() is not None:
                again = workspace / "again"
                shutil.rmtree(again, ignore_errors=True)
                shutil.copytree(repository.path(repository.live() or 0), again)
                assert not repository.push(again, clock=lambda: clock[0]).copied
            elif step == "rollback":
                try:
                    repository.rollback(clock=lambda: clock[0])
                except BadInputError:  # nothing to go back to
                    continue
            elif step == "retire":
                repository.retire(2, clock=lambda: clock[0])
            if repository.live() != (saw[-1][1] if saw else None):
                saw.append((clock[0], repository.live()))
        found = read_history(base, workspace)
        assert found.live == repository.live()
        assert [(reign.since, reign.version) for reign in found.reigns] == saw
        followers = [*found.reigns[1:], None][: len(found.reigns)]
        for one, after in zip(found.reigns, followers, strict=True):
            assert one.until == (after.since if after else None)
            assert one.successor == (after.version if after else None)
            if after is not None:
                assert after.before == one.version
                assert after.returned is (after.version < one.version)
                assert one.ending == ("rolled_back" if after.returned else "replaced")
            assert one.verdict.startswith("v")
            assert one.model == "network"
        assert list(lines(found))


def test_refused_candidates_are_told_with_whom_they_met(tmp_path: Path) -> None:
    base = tmp_path / "serving" / "co2"
    champion = json.dumps({"version": 7, "path": str(base / "7"), "digest": "d"})
    foreign = json.dumps({"version": 8, "path": str(tmp_path / "else" / "8"), "digest": "d"})
    ended = "2026-01-02T03:04:05+00:00"
    refused = {"winner": "", "verdict": "Not blessed", "champion": champion, "ended": ended}
    ran(tmp_path, run_id="a", **refused)
    ran(tmp_path, run_id="b", **{**refused, "metrics": {}})  # held: nothing was trained
    ran(tmp_path, run_id="c", **{**refused, "champion": foreign})  # of another pipeline
    ran(tmp_path, run_id="d", **{**refused, "status": "failed"})
    ran(tmp_path, run_id="e", **{**refused, "winner": "ar"})  # live already
    (tmp_path / "runs.jsonl").open("a").write('\n{"torn')
    [one] = read_history(base, tmp_path).refused
    assert (one.run_id, one.champion, one.metrics) == ("a", 7, {"mae": 0.5})
    assert one.at == 1767323045


def test_what_a_killed_process_did_not_write_down_is_there(tmp_path: Path) -> None:
    base = tmp_path / "serving"
    repository = ModelRepository(base)
    for number in range(3):
        source = model(tmp_path / f"m{number}", str(number))
        repository.push(source, clock=lambda at=START + number: at)
    (base / ".history.json").unlink()
    (base / str(START + 2)).rename(base / f".rolled-back-{START + 2}")
    found = read_history(base, tmp_path)
    assert [reign.version for reign in found.reigns] == [
        START, START + 1, START + 2, START + 1,
    ]  # fmt: skip
    assert found.reigns[-1].returned
    assert found.reigns[-1].until is None


@pytest.mark.parametrize("left", [0, 1])
def test_folders_taken_away_by_hand_end_a_reign(tmp_path: Path, left: int) -> None:
    base = tmp_path / "serving"
    repository = ModelRepository(base)
    for number in range(2):
        source = model(tmp_path / f"m{number}", str(number))
        repository.push(source, clock=lambda at=START + number: at)
    for version in repository.versions()[left:]:
        shutil.rmtree(base / str(version))
    found = read_history(base, tmp_path)
    assert found.live == (START if left else None)
    last = found.reigns[-1]
    if left:
        assert (last.version, last.until, last.returned) == (START, None, True)
    else:
        assert (last.version, last.ending) == (START + 1, "removed")
        assert "nothing serves any more" in "\n".join(lines(found))


def test_people_and_machines_read_it(tmp_path: Path) -> None:
    path = tmp_path / "co2.yaml"
    path.write_text(
        "name: co2\nworkspace: .\ndata: {path: d.csv, time: t, frequency: h}\ntargets: [y]\n"
        "window: {lookback: 2, horizon: 1}\n"
    )
    asked = CliRunner().invoke(history, [str(path)])
    assert "No model has been pushed to" in asked.stdout
    repository = ModelRepository(tmp_path / "serving" / "co2")
    for number, name in enumerate(("candidate", "ar", "candidate")):
        source = model(tmp_path / f"m{number}", str(number))
        done = repository.push(source, clock=lambda at=START + 86400 * number: at)
        ran(tmp_path, pushed=done.version, winner=name, verdict=f"Blessed: reason {number}.")
    repository.rollback(clock=lambda: START + 3 * 86400)
    ran(tmp_path, winner="", verdict="Not blessed: no.", ended="2023-11-19T00:00:00+00:00")
    text = CliRunner().invoke(history, [str(path)]).stdout
    one, two, three = (START + 86400 * n for n in range(3))
    assert text.splitlines() == [
        f"2023-11-14 22:13:20  champion {one}  mae 0.5  (for 1 day)",
        "                     Blessed: reason 0.",
        f"2023-11-15 22:13:20  champion {two}, the baseline ar  mae 0.5  (for 1 day)",
        f"                     replaces {one}",
        "                     Blessed: reason 1.",
        f"2023-11-16 22:13:20  champion {three}  mae 0.5  (for 1 day)",
        f"                     replaces {two}",
        "                     Blessed: reason 2.",
        f"2023-11-17 22:13:20  champion {two}, the baseline ar  mae 0.5  (serves now)",
        f"                     again, as {three} was taken away",
        "2023-11-19 00:00:00  refused  mae 0.5",
        "                     Not blessed: no.",
    ]
    short = CliRunner().invoke(history, [str(path), "--last", "1"]).stdout
    assert short.splitlines()[0] == "(4 earlier ones are left out; --last shows more)"
    data = json.loads(CliRunner().invoke(history, [str(path), "--json"]).stdout)
    assert [reign["version"] for reign in data["reigns"]] == [one, two, three, two]
    assert data["live"] == two
    assert data["refused"][0]["verdict"] == "Not blessed: no."
