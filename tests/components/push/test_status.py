"""What `elman status` reads and shows, also from a directory in disorder."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from components.push.repository import ModelRepository
from components.push.status import read_status, render

MakeModel = Callable[..., Path]


def shown(base: Path, workspace: Path | None = None) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render(read_status(base, workspace)))
    return console.export_text()


def test_status_of_pushes_a_rollback_and_runs(tmp_path: Path, make_model: MakeModel) -> None:
    workspace = tmp_path / "workspace"
    repository = ModelRepository(workspace / "serving")
    for number in (1, 2, 3):
        about = {"metrics": {"mae": number / 4, "mase": None, "skill": 0.5}, "run_id": f"r{number}"}
        about |= {"baseline": "ar"} if number == 2 else {}
        repository.push(
            make_model(number, extra=json.dumps(about)), clock=lambda n=number: 1_700_000_000 + n
        )
    repository.rollback(clock=lambda: 1_700_000_100)
    lines = [
        json.dumps({"run_id": f"run-{n}", "status": "finished", "verdict": "ok"}) for n in (1, 2)
    ]
    (workspace / "runs.jsonl").write_text("\n".join([*lines, "[1]", '{"run_id": "to']))

    status = read_status(repository.base, workspace)
    assert status.live == 1_700_000_002
    assert [v.version for v in status.versions] == [1_700_000_002, 1_700_000_001]
    assert dict(status.versions[0].metrics) == {"mae": 0.5, "skill": 0.5}
    assert status.versions[0].run_id == "r2"
    assert [v.model for v in status.versions] == ["ar", "network"]
    [gone] = status.rolled_back
    assert (gone.version, gone.rolled_back_at) == (1_700_000_003, 1_700_000_100)
    assert [run["run_id"] for run in status.runs] == ["run-2", "run-1"]
    assert json.loads(json.dumps(status.as_json()))["live"] == 1_700_000_002

    text = shown(repository.base, workspace)
    assert "2023-11-14 22:13:22" in text
    assert "live, ar" in text
    assert "rolled back 2023-11-14 22:15:00" in text
    assert text.index("live") < text.index("kept")
    assert "run-2" in text


def test_status_needs_nothing_to_be_there(tmp_path: Path) -> None:
    status = read_status(tmp_path / "none", tmp_path)
    assert (status.live, status.versions, status.runs) == (None, (), ())
    text = shown(tmp_path / "none", tmp_path)
    assert "nothing is live" in text
    assert "no run has ended yet" in text
    assert not (tmp_path / "none").exists()


def test_status_survives_disorder(tmp_path: Path, make_model: MakeModel) -> None:
    repository = ModelRepository(tmp_path / "serving")
    for number in (1, 2, 3):
        repository.push(make_model(number, extra="{torn"), clock=lambda n=number: n)
    repository.rollback()
    (repository.base / ".history.json").unlink()
    shutil.rmtree(repository.path(2) / "variables")
    (repository.path(1) / "saved_model.pb").unlink()
    (repository.base / "9").write_text("a file")
    status = read_status(repository.base)
    assert [(v.version, v.loads) for v in status.versions] == [(2, True), (1, False)]
    assert status.rolled_back[0].rolled_back_at is not None
    assert "does not load" in shown(repository.base)


def test_status_says_what_the_newest_run_that_watched_for_drift_found(tmp_path: Path) -> None:
    runs = [
        {"run_id": "1", "status": "finished", "drift": "old"},
        {"run_id": "2", "status": "finished", "drift": "drift: new rows differ"},
        {"run_id": "3", "status": "failed", "error": "no data"},
    ]
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, runs)))
    assert (
        read_status(tmp_path / "none", tmp_path).as_json()["drift"] == "2: drift: new rows differ"
    )
    assert "Drift  2: drift: new rows differ" in shown(tmp_path / "none", tmp_path)
    assert "Drift" not in shown(tmp_path / "none")
