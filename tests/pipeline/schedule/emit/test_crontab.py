"""The crontab line, taken apart as crontab(5) says and run by a shell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from pipeline.schedule.emit.crontab import crontab
from tests.pipeline.schedule.emit.plans import odd_plan


def taken_apart(line: str) -> tuple[str, str]:
    """The five fields and the command, as cron hands it to the shell.

    crontab(5): the command ends at the first percent sign that has no backslash before it; with
    one, the percent sign stays and the backslash goes.
    """
    *fields, command = line.split(maxsplit=5)
    command = re.split(r"(?<!\\)%", command)[0]
    return " ".join(fields), command.replace("\\%", "%")


def test_the_line_runs_in_the_folder_of_the_config_and_logs(tmp_path: Path) -> None:
    plan = odd_plan(tmp_path)
    files, _ = crontab(plan, machine_zone="UTC")
    comment, line = files["elman-small.cron"].splitlines()
    assert comment.startswith("#")
    fields, command = taken_apart(line)
    assert fields == "0 3 * * *"
    for _ in range(2):
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd="/", env={}, capture_output=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    called = [json.loads(text) for text in (tmp_path / "record").read_text().splitlines()]
    assert called == [[str(plan.config.parent), "run", str(plan.config), "--if-new"]] * 2
    log = plan.workspace / "logs" / "cron.log"
    assert log.read_text() == "said on stdout\n" * 2


def test_a_failed_run_keeps_its_exit_code(tmp_path: Path) -> None:
    files, _ = crontab(odd_plan(tmp_path), machine_zone="UTC")
    _, command = taken_apart(files["elman-small.cron"].splitlines()[-1])
    done = subprocess.run(["/bin/sh", "-c", command], env={"FAKE_EXIT": "2"}, check=False)
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("zone", "machine", "lines"),
    [("UTC", "UTC", 2), ("UTC", "Etc/UTC", 2), ("Europe/Berlin", "UTC", 3), ("UTC", None, 3)],
)
def test_another_time_zone_has_its_line_and_its_note(
    tmp_path: Path, zone: str, machine: str | None, lines: int
) -> None:
    files, notes = crontab(odd_plan(tmp_path, timezone=zone), machine_zone=machine)
    text = files["elman-small.cron"].splitlines()
    assert len(text) == lines
    assert (f"CRON_TZ={zone}" in text) is (lines == 3)
    assert any("CRON_TZ" in note for note in notes) is (lines == 3)


def test_what_cron_does_otherwise_is_told(tmp_path: Path) -> None:
    _, notes = crontab(odd_plan(tmp_path, jitter=5.0), machine_zone="UTC")
    assert any("does not catch up" in note for note in notes)
    assert any("no jitter" in note for note in notes)


def test_nicknames_are_written_out(tmp_path: Path) -> None:
    files, _ = crontab(odd_plan(tmp_path, cron="@weekly"), machine_zone="UTC")
    assert taken_apart(files["elman-small.cron"].splitlines()[-1])[0] == "0 0 * * 0"
