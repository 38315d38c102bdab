"""The group of commands: exit codes, hints, tracebacks on demand, late imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from models.errors import BadInputError, FailedRunError
from pipeline.cli import application
from pipeline.cli.main import cli

CONFIG = "name: a\ndata: {path: d.csv, time: t, frequency: h}\ntargets: [y]\n" + (
    "window: {lookback: 48, horizon: 24}\n"
)


def elman(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin"},
        check=False,
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A list; its last exception is what `elman status` raises."""
    errors: list[BaseException] = []

    @click.command()
    def status() -> int:
        if errors:
            raise errors[-1]
        return 0

    from pipeline.cli import status as module

    monkeypatch.setattr(module, "status", status)
    return errors


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (BadInputError("bad.yaml:3: no"), 2, "Error: bad.yaml:3: no"),
        (FailedRunError("the loss is nan"), 1, "Error: the loss is nan"),
        (RuntimeError("boom\n  deep"), 1, "Error: RuntimeError: boom deep"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (SystemExit(7), 7, ""),
    ],
)
def test_exit_codes(
    failing: list[BaseException], error: BaseException, code: int, words: str
) -> None:
    failing.append(error)
    result = CliRunner().invoke(cli, ["status"])
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert "\n\n" not in result.stderr.removeprefix("\n")


def test_a_bug_says_how_to_see_more(failing: list[BaseException]) -> None:
    failing.append(ZeroDivisionError("x"))
    assert "--debug shows the traceback" in CliRunner().invoke(cli, ["status"]).stderr


@pytest.mark.parametrize("arguments", [["--debug", "status"], ["status", "--debug"]])
@pytest.mark.parametrize("error", [BadInputError("no"), ZeroDivisionError("x")])
def test_debug_shows_the_traceback(
    failing: list[BaseException], arguments: list[str], error: Exception
) -> None:
    failing.append(error)
    result = CliRunner().invoke(cli, arguments)
    assert "Traceback (most recent call last)" in result.stderr
    assert "test_application.py" in result.stderr
    assert result.exit_code == (2 if isinstance(error, BadInputError) else 1)


def test_many_lines_stay_lines(failing: list[BaseException]) -> None:
    failing.append(BadInputError("a.yaml:1: x\n\na.yaml:2: y  \n"))
    assert CliRunner().invoke(cli, ["status"]).stderr == "Error: a.yaml:1: x\na.yaml:2: y\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek"], "no command 'chek'; did you mean 'check'?"),
        (["rolback"], "did you mean 'rollback'?"),
        (["zzz"], "no command 'zzz'; commands are: init, check, run"),
        (["--zzz"], "No such option"),
        (["check"], "Missing argument 'CONFIG'"),
        (["check", "a", "--jsn"], "--json"),
        (["ui", "a", "--port", "x"], "'x' is not a valid integer"),
    ],
)
def test_usage_errors(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    for name in application.COMMANDS:
        assert f"\n  {name} " in result.stdout
        own = CliRunner().invoke(cli, [name, "--help"])
        assert own.exit_code == 0
        assert "--debug" in own.stdout


def test_help_of_a_command_stays_the_same() -> None:
    first, second = (CliRunner().invoke(cli, ["check", "--help"]).stdout for _ in range(2))
    assert first == second


def test_version() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout == "elman 0.1.0\n"


def test_as_a_process(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CONFIG.replace("lookback: 48", "lookback: -1"))
    done = elman("check", "a.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "Error: a.yaml:4: window.lookback: received -1, expected a whole number >= 1 "
        "(input steps L)\n"
    )
    assert elman("nonsense").returncode == 2
    assert elman("--help").returncode == 0


def test_a_closed_pipe_is_quiet() -> None:
    code = (
        "import os, sys; read, write = os.pipe(); os.close(read); os.dup2(write, 1); "
        "sys.argv = ['elman', '--help']; from pipeline.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == application.PIPE_CLOSED
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {"numpy", "duckdb", "pandas", "yaml", "pydantic"}),
        (["init", "--help"], {"numpy", "duckdb", "pandas"}),
        (["check", "d.yaml"], set()),
        (["init", "d.csv", "-o", "e.yaml"], set()),
        (["status", "d.yaml"], {"duckdb", "pandas"}),
        (["rollback", "d.yaml"], {"duckdb", "pandas"}),
        (["ui", "d.yaml"], {"duckdb", "pandas"}),
    ],
)
def test_light_commands_import_nothing_heavy(
    arguments: list[str], absent: set[str], tmp_path: Path
) -> None:
    rows = [f"2024-01-{1 + i // 24:02d} {i % 24:02d}:00,{i % 7}" for i in range(720)]
    (tmp_path / "d.csv").write_text("\n".join(["t,y", *rows]) + "\n")
    (tmp_path / "d.yaml").write_text(CONFIG)
    code = (
        "import sys\nfrom pipeline.cli.main import cli\n"
        "try:\n    cli.main(sys.argv[1:])\nexcept SystemExit as end:\n    print(end.code)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    *_, code_line, modules = done.stdout.splitlines()
    assert code_line in ("0", "2"), done.stderr
    heavy = {"tensorflow", "keras", "tfx", "mlflow", "apache_beam", "matplotlib"} | absent
    assert not heavy & set(modules.split())
