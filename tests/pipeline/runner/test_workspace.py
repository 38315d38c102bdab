"""The workspace when a run begins: every way in which it cannot be used has its own words."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.push.status import read_status
from components.sqlite_file import refuse_damaged, refuse_locked
from models.errors import BadInputError, FailedRunError
from pipeline.config import load
from pipeline.runner import ledger
from pipeline.runner.run import run_pipeline
from pipeline.runner.workspace import check_metadata, prepare

CONFIG = """\
name: demo
workspace: work
data: {path: data.csv, time: date, frequency: h}
targets: [y]
window: {lookback: 4, horizon: 2}
"""


def as_nobody(function: Any, path: Path) -> str:
    """What `function(path)` raises in a process that is not root, which may write anywhere."""
    queue = multiprocessing.get_context("fork").SimpleQueue()

    def work() -> None:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        try:
            function(path)
            queue.put("")
        except Exception as error:
            queue.put(f"{type(error).__name__}: {error}")

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    return str(queue.get())


def test_a_read_only_workspace(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # pytest's own are for their owner only
    (tmp_path / "work" / "logs").mkdir(parents=True)
    (tmp_path / "work").chmod(0o555)
    said = as_nobody(prepare, tmp_path / "work")
    (tmp_path / "work").chmod(0o755)
    assert said.startswith("FailedRunError: The workspace"), said
    assert "cannot be written: Permission denied. Make it writable" in said


@pytest.mark.parametrize(
    "name", ["serving", "artifacts", "logs", "reports", "mlflow", "serving/co2", "artifacts/a/b"]
)
def test_a_link_out_of_the_workspace_is_refused(tmp_path: Path, name: str) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    outside.mkdir()
    (work / name).parent.mkdir(parents=True, exist_ok=True)
    (work / name).symlink_to(outside)
    with pytest.raises(BadInputError, match=rf"{name} is a link out of the workspace, to "):
        prepare(work)
    assert not list(outside.iterdir())


def test_links_that_stay_inside_and_a_workspace_that_is_one(tmp_path: Path) -> None:
    (tmp_path / "disk" / "serving" / "v1").mkdir(parents=True)
    (tmp_path / "disk" / "serving" / "latest").symlink_to("v1")
    (tmp_path / "work").symlink_to(tmp_path / "disk")
    prepare(tmp_path / "work")
    assert (tmp_path / "disk" / "logs").is_dir()


def table(path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("create table t (x)")
        connection.executemany("insert into t values (?)", [("x" * 500,) for _ in range(100)])
    connection.close()


@pytest.mark.parametrize("damage", ["garbage", "torn", "middle", "folder"])
def test_a_damaged_metadata_store(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "work" / "metadata.db"
    file.parent.mkdir()
    if damage == "folder":
        file.mkdir()
    else:
        table(file)
        content = file.read_bytes()
        file.write_bytes(
            {
                "garbage": b"x" * 5000,
                "torn": content[: len(content) // 2],
                "middle": content[:4096] + b"\xff" * (len(content) - 4096),
            }[damage]
        )
    (tmp_path / "co2.yaml").write_text(CONFIG)
    rows = "".join(f"2024-01-{d:02d} {h:02d}:00,1\n" for d in range(1, 9) for h in range(24))
    (tmp_path / "data.csv").write_text("date,y\n" + rows)
    with pytest.raises(FailedRunError, match=r"metadata store .*metadata.db is damaged.*move it"):
        run_pipeline(load(tmp_path / "co2.yaml"))


@pytest.mark.parametrize("kind", ["missing", "empty", "well"])
def test_a_metadata_store_that_is_well_or_new(tmp_path: Path, kind: str) -> None:
    if kind == "well":
        table(tmp_path / "metadata.db")
    elif kind == "empty":
        (tmp_path / "metadata.db").touch()
    check_metadata(tmp_path)
    refuse_damaged(tmp_path / "metadata.db", "", "")


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(f"begin {sys.argv[2]}")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["exclusive", "immediate"])
def test_a_locked_metadata_store(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "metadata.db"
    table(file)
    # Another process: sqlite's locks are those of processes.
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, file, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(FailedRunError, match=r"locked by another process.*after 0.1 s.*lsof"):
            refuse_locked(file, "the metadata store", timeout=0.1)
        refuse_damaged(file, "the metadata store", "")  # locked is not damaged
        other.kill()
    refuse_locked(file, "the metadata store", timeout=5)


def test_a_ledger_with_lines_that_are_none(tmp_path: Path) -> None:
    good = ledger.LedgerEntry(
        run_id="r", key="k", started="a", ended="b", status="finished", verdict="Blessed\u2028: x"
    )
    ledger.append(tmp_path, good)
    with (tmp_path / ledger.NAME).open("ab") as file:
        file.write(b'\xff\xfe\x00garbage\n{"run_id": "torn", "ke')
    ledger.append(tmp_path, good)
    assert list(ledger.entries(tmp_path)) == [good, good]
    assert len(read_status(tmp_path / "serving", tmp_path).runs) == 2
