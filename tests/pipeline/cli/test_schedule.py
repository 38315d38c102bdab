"""`elman schedule` as people call it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import cli
from pipeline.config import load
from pipeline.runner.ledger import LedgerEntry, append
from pipeline.runner.run import _key
from pipeline.schedule.state import NAME
from pipeline.tasks import task_of

Start = Callable[..., subprocess.Popen[str]]
ROOT = Path(__file__).resolve().parents[3]
CONFIG = """name: small
workspace: work
data: {path: d.csv, time: t, frequency: h}
targets: [y]
window: {lookback: 48, horizon: 24}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    rows = [f"2024-01-{1 + i // 24:02d} {i % 24:02d}:00,{i % 7}" for i in range(720)]
    (tmp_path / "d.csv").write_text("\n".join(["t,y", *rows]) + "\n")
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    (tmp_path / "work").mkdir()
    return path


@pytest.fixture
def start(config: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `elman schedule` on `config`; what still runs in the end is stopped."""
    started: list[subprocess.Popen[str]] = []

    def schedule(*arguments: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli.main", "schedule", str(config), *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        )
        return started[-1]

    yield schedule
    for process in started:
        for _ in range(2):  # the second time without grace
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                time.sleep(0.2)
        process.communicate(timeout=120)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    said = ""
    assert process.stderr is not None
    while words not in said:
        line = process.stderr.readline()
        assert line, f"ended without {words!r}: {said}"
        said += line
    return said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_tells_the_next_run_and_ends_well_when_asked(
    config: Path, start: Start, number: signal.Signals
) -> None:
    config.write_text(CONFIG + "schedule: {cron: '0 3 29 2 *', timezone: Europe/Berlin}\n")
    process = start()
    assert "next run: Tue 2028-02-29 03:00 CET" in read_until(process, "next run")
    second = start("--cron", "0 4 29 2 *")
    _, words = second.communicate(timeout=120)
    assert second.returncode == 1
    assert "has a scheduler already" in words
    process.send_signal(number)
    _, words = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "scheduler stopped" in words


def test_a_missed_night_is_run_at_once_by_a_process_of_its_own(config: Path, start: Start) -> None:
    loaded = load(config)
    key = _key(loaded, task_of(loaded).fingerprint())
    entry = {"run_id": "r", "key": key, "started": "s", "ended": "e", "status": "finished"}
    append(loaded.workspace, LedgerEntry.model_validate({**entry, "verdict": "Blessed: good."}))
    long_ago = datetime.now(UTC) - timedelta(days=3)
    state = {"timetable": "0 3 * * * UTC", "last": long_ago.isoformat()}
    (loaded.workspace / NAME).write_text(json.dumps(state))
    process = start("--cron", "0 3 * * *", "--once")
    _, words = process.communicate(timeout=120)
    assert process.returncode == 0, words
    assert "missed and not caught up: " in words
    assert "nothing new after" in words
    assert "small: nothing new since run r" in words
    kept = json.loads((loaded.workspace / NAME).read_text())
    assert kept["status"] == "nothing_new"
    assert datetime.fromisoformat(kept["last"]) > long_ago + timedelta(days=1)


def test_once_ends_with_the_exit_code_of_a_blocked_night(config: Path, start: Start) -> None:
    (config.parent / "d.csv").unlink()
    last = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    (config.parent / "work" / NAME).write_text(
        json.dumps({"timetable": "0 3 * * * UTC", "last": last})
    )
    process = start("--cron", "0 3 * * *", "--once")
    _, words = process.communicate(timeout=120)
    assert process.returncode == 2, words
    assert "blocked after" in words


def test_next_prints_times_and_runs_nothing(config: Path) -> None:
    done = CliRunner().invoke(
        cli,
        [
            "schedule",
            str(config),
            "--cron",
            "0 3 29 2 *",
            "--timezone",
            "Asia/Tokyo",
            "--next",
            "2",
        ],
    )
    assert done.stdout == "Tue 2028-02-29 03:00 JST\nSun 2032-02-29 03:00 JST\n"
    assert list((config.parent / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no section schedule and no --cron"),
        (["--cron", "0 25 * * *"], "--cron: hour: received '25'"),
        (["--cron", "@daily", "--timezone", "Berlin"], "did you mean 'Europe/Berlin'?"),
        (["--cron", "@daily", "--jitter", "-1"], "--jitter: "),
        (["--cron", "@daily", "--catch-up-limit", "0"], "--catch-up-limit: "),
        (["--cron", "@daily", "--output", "x"], "need --emit"),
        (["--cron", "@daily", "--emit", "cron", "--image", "x"], "for --emit kubeflow"),
        (["--cron", "@daily", "--emit", "launchd"], "'launchd' is not one of"),
    ],
)
def test_what_cannot_be_is_refused(config: Path, arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(cli, ["schedule", str(config), *arguments])
    assert done.exit_code == 2
    assert words in done.stderr


def test_options_stand_above_the_section(config: Path) -> None:
    config.write_text(CONFIG + "schedule: {cron: '0 3 29 2 *', timezone: Asia/Tokyo}\n")
    done = CliRunner().invoke(cli, ["schedule", str(config), "--timezone", "UTC", "--next", "1"])
    assert done.stdout == "Tue 2028-02-29 03:00 UTC\n"


def test_a_wrong_section_is_named_by_file_and_line(config: Path) -> None:
    config.write_text(CONFIG + "schedule: {cron: '0 3 * *'}\n")
    done = CliRunner().invoke(cli, ["schedule", str(config)])
    assert done.exit_code == 2
    assert "c.yaml:6: schedule.cron: received '0 3 * *', expected five fields" in done.stderr


def test_status_tells_the_schedule(config: Path) -> None:
    state = {
        "timetable": "0 3 * * * Europe/Berlin",
        "last": "2026-01-05T02:00:00+00:00",
        "status": "failed",
        "next": "2026-01-06T02:00:00+00:00",
        "failures": 3,
    }
    assert "0 3 * * *" not in CliRunner().invoke(cli, ["status", str(config)]).stdout
    (config.parent / "work" / NAME).write_text(json.dumps(state))
    assert (
        "schedule 0 3 * * * Europe/Berlin: run of 2026-01-05 02:00 UTC failed (3 in a row); the "
        "next one after it: 2026-01-06 02:00 UTC"
    ) in CliRunner().invoke(cli, ["status", str(config)]).stdout
    told = json.loads(CliRunner().invoke(cli, ["status", str(config), "--json"]).stdout)
    assert told["schedule"]["failures"] == 3
