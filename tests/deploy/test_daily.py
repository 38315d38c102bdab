"""deploy/daily.sh: `elman run` at the start and every day, whatever a run comes to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, check_elman

PATIENCE = 60.0
FAKE = """#!/bin/sh
echo "$@" >> "{record}"
{body}
"""


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the loop with an `elman` that writes down its arguments and does as it is told."""
    started: list[subprocess.Popen[str]] = []

    def start(body: str = "exit 0", at: str = "03:15", *arguments: str) -> subprocess.Popen[str]:
        program = tmp_path / "elman"
        program.write_text(FAKE.format(record=tmp_path / "record", body=body))
        program.chmod(0o755)
        started.append(
            subprocess.Popen(
                [str(DEPLOY / "daily.sh"), *(arguments or ("co2.yaml",))],
                env={"PATH": f"{tmp_path}:/usr/bin:/bin", "ELMAN_DAILY_AT": at, "TZ": "UTC"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it says, up to the line with `words`."""
    said = ""
    assert process.stdout is not None
    while words not in said:
        line = process.stdout.readline()
        assert line, f"ended without {words!r}: {said}"
        said += line
    return said


def test_it_runs_at_the_start_and_waits_for_the_hour(
    loop: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = loop()
    said = read_until(process, "the next run is at")
    assert "elman-daily: done" in said
    assert " 03:15:00 UTC" in said.splitlines()[-1]
    (arguments,) = (tmp_path / "record").read_text().splitlines()
    assert check_elman(arguments.split())["command"] == "run"
    process.terminate()
    assert process.wait(PATIENCE) == 0


def test_a_run_that_fails_is_told_and_the_loop_goes_on(
    loop: Callable[..., subprocess.Popen[str]],
) -> None:
    said = read_until(loop("exit 3"), "the next run is at")
    assert "the run failed with code 3; its own words are above" in said


def test_it_runs_again_when_the_hour_comes(
    loop: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    # A clock that stands shortly before the hour, for `date` as the script asks it.
    program = tmp_path / "sleep"
    program.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/slept"\nexec /bin/sleep 0.1\n')
    program.chmod(0o755)
    process = loop()
    deadline = time.monotonic() + PATIENCE
    record = tmp_path / "record"
    while not record.exists() or len(record.read_text().splitlines()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # Read before the signal: the stop naps through the same `sleep` while the child ends.
    slept = [int(line) for line in (tmp_path / "slept").read_text().splitlines()]
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert slept
    assert all(0 < seconds <= 24 * 3600 for seconds in slept)


def test_a_signal_ends_the_run_and_the_loop(
    loop: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    heard = tmp_path / "heard"
    body = f"trap 'echo ended >> {heard}; exit 1' TERM\ntouch {tmp_path}/begun\n"
    process = loop(body + "while :; do /bin/sleep 0.05; done")
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert heard.read_text() == "ended\n"


@pytest.mark.parametrize("at", ["3:15", "24:00", "03:60", "noon", ""])
def test_an_hour_that_is_none_is_refused(
    loop: Callable[..., subprocess.Popen[str]], tmp_path: Path, at: str
) -> None:
    process = loop("exit 0", at)
    if at == "":  # as if it were not set
        read_until(process, "the next run is at")
        return
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert f"ELMAN_DAILY_AT is '{at}', expected HH:MM" in said
    assert not (tmp_path / "record").exists()


def test_without_a_config_it_says_how_it_is_called(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(DEPLOY / "daily.sh")], capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode != 0
    assert "usage: elman-daily CONFIG" in done.stderr
