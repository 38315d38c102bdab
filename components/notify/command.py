"""The command hook: a program with the event on standard input, killed at its time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from components.notify.config import CommandConfig
from components.secrets import scrubbed
from components.tracking.entries import shortened

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""


def start(config: CommandConfig, body: Mapping[str, Any], folder: Path) -> str:
    """Runs the program to its end.

    Standard input and output are files, so that a program that reads nothing, or leaves a child
    behind that holds its output open, cannot hold the run.

    Args:
        config: What to run.
        body: The event, JSON values (see `components.notify.event.payload`).
        folder: Its working directory.

    Returns:
        Why it did not succeed, in words for people; empty if it did.
    """
    what = f"the command {Path(config.run[0]).name}"
    environment = {
        **os.environ,
        "ELMAN_EVENT": str(body["kind"]),
        "ELMAN_TITLE": str(body["title"]).replace("\0", ""),
        "ELMAN_PIPELINE": str(body["pipeline"]),
        "ELMAN_RUN_ID": str(body["run_id"]),
        "ELMAN_CONFIG": str(body["config"]),
    }
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(json.dumps(body).encode() + b"\n")
        given.seek(0)
        try:
            process = subprocess.Popen(
                config.run,
                cwd=folder,
                env=environment,
                stdin=given,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return f"{what} could not be started: {error.strerror or error}"
        try:
            code = process.wait(config.timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            return f"{what} was killed after its time limit of {config.timeout:g} s{_last(said)}"
        except BaseException:  # from the keyboard
            _kill(process)
            raise
        return "" if code == 0 else f"{what} ended with {_code(code)}{_last(said)}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the program and all its children that are still in its session."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _code(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"


def _last(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - 2000))
    lines = [line for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    return f": {shortened(scrubbed(lines[-1].strip()), 200)}" if lines else ""
