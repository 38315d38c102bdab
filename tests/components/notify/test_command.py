"""The command hook: what it is given, how its end is told, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from components.notify.command import start
from components.notify.config import CommandConfig

BODY: dict[str, Any] = {
    "kind": "promoted",
    "title": "version 7; $(touch bad) `x`",
    "pipeline": "co2",
    "run_id": "r1",
    "config": "/somewhere/co2.yaml",
    "fields": {"mae": 0.5},
}


def command(*run: str, timeout: float = 20.0) -> CommandConfig:
    return CommandConfig(run=run, timeout=timeout)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_event_arrives_and_no_shell_reads_it(tmp_path: Path) -> None:
    write = (
        "import json, os, pathlib, sys; "
        "pathlib.Path('got.json').write_text(json.dumps([json.load(sys.stdin), sys.argv[1], "
        "{k: v for k, v in os.environ.items() if k.startswith('ELMAN_')}]))"
    )
    assert start(command(sys.executable, "-c", write, "$HOME; *"), BODY, tmp_path) == ""
    body, argument, environment = json.loads((tmp_path / "got.json").read_text())
    assert body == BODY
    assert argument == "$HOME; *"
    assert environment == {
        "ELMAN_EVENT": "promoted",
        "ELMAN_TITLE": BODY["title"],
        "ELMAN_PIPELINE": "co2",
        "ELMAN_RUN_ID": "r1",
        "ELMAN_CONFIG": "/somewhere/co2.yaml",
    }
    assert [p.name for p in tmp_path.iterdir()] == ["got.json"]


def test_a_program_beside_the_configuration_is_found(tmp_path: Path) -> None:
    script = tmp_path / "page.sh"
    script.write_text("#!/bin/sh\ncat > said\n")
    script.chmod(0o755)
    assert start(command("./page.sh"), BODY, tmp_path) == ""
    assert json.loads((tmp_path / "said").read_text()) == BODY


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (("/bin/sh", "-c", "echo why; echo >&2 broken; exit 3"), "ended with exit code 3: broken"),
        (("/bin/sh", "-c", "kill -9 $$"), "ended with signal 9"),
        (("./no-such-program",), "could not be started: No such file or directory"),
        (("/bin/sh", "-c", "echo http://me:pw@host/ && exit 1"), "http://me:***@host/"),
        (("true",), ""),
    ],
)
def test_how_it_ended_is_told(tmp_path: Path, run: tuple[str, ...], said: str) -> None:
    told = start(command(*run), BODY, tmp_path)
    assert told.endswith(said) if said else told == ""


def test_a_program_that_reads_nothing_of_a_long_event_is_fine(tmp_path: Path) -> None:
    assert start(command("true"), {**BODY, "text": "x" * 1_000_000}, tmp_path) == ""


@pytest.mark.parametrize("deaf", [False, True])
def test_at_its_time_limit_it_is_killed_with_its_children(tmp_path: Path, deaf: bool) -> None:
    ignoring = "trap '' TERM; " if deaf else ""
    script = f"{ignoring}sleep 60 & echo $$ $! > pids; echo going; wait; sleep 60"
    config = command("/bin/sh", "-c", script, timeout=1.0)
    since = time.monotonic()
    told = start(config, BODY, tmp_path)
    assert told == "the command sh was killed after its time limit of 1 s: going"
    assert time.monotonic() - since < 30
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 10  # the kernel may take a moment
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, pids))


def test_a_child_left_behind_does_not_hold_the_run(tmp_path: Path) -> None:
    assert start(command("/bin/sh", "-c", "sleep 60 & echo $! > pid"), BODY, tmp_path) == ""
    os.kill(int((tmp_path / "pid").read_text()), 9)
