"""The units, as systemd itself reads them."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.schedule.cron import Cron
from pipeline.schedule.emit.systemd import calendars, units
from tests.pipeline.schedule.emit.plans import odd_plan

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze"
)


def section(text: str, name: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser[name]


@needs_systemd
@pytest.mark.parametrize(
    "schedule",
    [
        {},
        {"cron": "5 4 13 * 5", "timezone": "Europe/Berlin", "jitter": 600.0},
        {"cron": "*/7 */2 1-9,20 jan,jul mon-fri", "catch_up": "none"},
    ],
)
def test_systemd_finds_nothing_wrong(tmp_path: Path, schedule: dict[str, object]) -> None:
    files, _ = units(odd_plan(tmp_path, **schedule))
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in files)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_LOG_LEVEL": "notice"},
    )
    ours = [line for line in done.stderr.splitlines() if "elman-small" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr


@needs_systemd
def test_systemd_complains_where_there_is_something_wrong(tmp_path: Path) -> None:
    files, _ = units(odd_plan(tmp_path))
    text = files["elman-small.timer"].replace("*-*-* 03:00:00", "*-*-* 25:00:00")
    assert text != files["elman-small.timer"]
    (tmp_path / "elman-small.timer").write_text(text)
    (tmp_path / "elman-small.service").write_text(files["elman-small.service"])
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "elman-small.timer")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "25:00:00" in done.stderr


def unescaped(text: str) -> list[str]:
    """A command line as systemd.service(5), COMMAND LINES, and systemd.syntax(7) read it."""
    words, word, quoted, escaped = [], "", False, False
    for letter in text:
        if escaped:
            word, escaped = word + letter, False
        elif letter == "\\":
            escaped = True
        elif letter == '"':
            quoted = not quoted
        elif letter == " " and not quoted:
            words.append(word)
            word = ""
        else:
            word += letter
    return [w.replace("$$", "$").replace("%%", "%") for w in (*words, word)]


def test_the_service_calls_a_run_in_the_folder_of_the_config(tmp_path: Path) -> None:
    plan = odd_plan(tmp_path)
    files, _ = units(plan)
    service = section(files["elman-small.service"], "Service")
    run = [*plan.command, "run", str(plan.config), "--if-new"]
    assert unescaped(service["ExecStart"]) == ["/usr/bin/env", *run]
    assert service["WorkingDirectory"].replace("%%", "%") == str(plan.config.parent)
    assert (service["Type"], service["KillSignal"]) == ("oneshot", "SIGINT")


def test_an_ordinary_program_is_called_itself(tmp_path: Path) -> None:
    plan = replace(odd_plan(tmp_path), command=("/opt/elman-1.0/bin/elman",))
    line = section(units(plan)[0]["elman-small.service"], "Service")["ExecStart"]
    assert line.startswith("/opt/elman-1.0/bin/elman run ")


@pytest.mark.parametrize(("policy", "persistent"), [("none", "false"), ("last", "true")])
def test_the_timer_catches_up_and_jitters_as_configured(
    tmp_path: Path, policy: str, persistent: str
) -> None:
    files, _ = units(odd_plan(tmp_path, catch_up=policy, jitter=90.0))
    timer = section(files["elman-small.timer"], "Timer")
    assert timer["Persistent"] == persistent
    assert timer["RandomizedDelaySec"] == "90s"


def test_what_systemd_does_otherwise_is_told(tmp_path: Path) -> None:
    _, notes = units(odd_plan(tmp_path, catch_up="all", timezone="Europe/Berlin"))
    assert any("only the last of several missed times" in note for note in notes)
    assert any("clocks skip" in note for note in notes)


def test_days_of_month_or_of_week_are_two_lines() -> None:
    assert calendars(Cron.parse("5 4 13 * 5"), "UTC") == [
        "*-*-13 04:05:00 UTC",
        "Fri *-*-* 04:05:00 UTC",
    ]
    assert calendars(Cron.parse("0 0 */10 * 0"), "UTC") == ["Sun *-*-01,11,21,31 00:00:00 UTC"]
