"""A run as a process of its own, so that a night's memory, and its death, stay its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TextIO

from pipeline.schedule.outcome import Outcome, Status
from pipeline.schedule.stop import Stop

INTERRUPTED = (130, -signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL)
POLL = 0.5
"""Seconds between two looks at a running night."""
LAST_WORDS = 5
"""Lines of standard error that are kept for the outcome."""


def elman_command() -> list[str]:
    """How the command line of this installation is called."""
    script = Path(sys.executable).parent / "elman"
    return [str(script)] if script.is_file() else [sys.executable, "-m", "pipeline.cli.main"]


class ProcessJob:
    """`elman run CONFIG --if-new --json`.

    Args:
        config: The configuration file.
        grace: Seconds that a run may go on once the scheduler was asked to stop; then it gets
            SIGINT, as by Ctrl-C, with which it closes what it has open.
        close: Seconds that it has for that, before it is killed.
        terminal: Where the run's progress goes.
        command: What is run instead.
    """

    def __init__(
        self,
        config: Path,
        *,
        grace: float,
        close: float = 60.0,
        terminal: TextIO | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._command = list(command or [*elman_command(), "run", str(config)])
        self._command += ["--if-new", "--json"] if command is None else []
        self._grace = grace
        self._close = close
        self._terminal = terminal or sys.stderr

    def __call__(self, planned: datetime, stop: Stop) -> Outcome:
        """See `Job`."""
        del planned  # a run takes the data as it is, whenever it was planned
        # A session of its own: Ctrl-C on the scheduler's terminal must not cut the grace short.
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        said: deque[str] = deque(maxlen=10_000)
        words: deque[str] = deque(maxlen=LAST_WORDS)
        readers = [
            threading.Thread(target=_keep, args=arguments, daemon=True)
            for arguments in (
                (process.stdout, said, None),
                (process.stderr, words, self._terminal),
            )
        ]
        for reader in readers:
            reader.start()
        self._wait(process, stop)
        for reader in readers:
            reader.join(timeout=5.0)
        return outcome(process.returncode, "".join(said), list(words))

    def _wait(self, process: subprocess.Popen[str], stop: Stop) -> None:
        ends: float | None = None
        asked = False
        while True:
            try:
                process.wait(timeout=POLL)
                return
            except subprocess.TimeoutExpired:
                pass
            now = time.monotonic()
            if stop.asked and ends is None:
                ends = now + self._grace
            if ends is None:
                continue
            if not asked and (stop.now or now >= ends):
                _signal(process, signal.SIGINT)
                asked, ends = True, now + self._close
            elif asked and now >= ends:
                _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """To the run and all that it started, as a terminal does with Ctrl-C."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def outcome(code: int, said: str, words: Sequence[str]) -> Outcome:
    """What a run came to.

    Args:
        code: Its exit code.
        said: Its standard output, JSON where it came so far.
        words: Its last lines on standard error.
    """
    try:
        result: Any = json.loads(said)
    except ValueError:
        result = {}
    if not isinstance(result, dict):
        result = {}
    if result.get("status") == "busy":
        return Outcome("busy", str(result.get("reason", "")))
    if code == 0:
        status: Status = "nothing_new" if result.get("status") == "nothing_new" else "finished"
        return Outcome(status, str(result.get("summary") or result.get("verdict") or ""))
    errors = [number for number, line in enumerate(words) if line.startswith("Error: ")]
    last = " ".join(line.strip() for line in words[errors[-1] if errors else 0 :] if line.strip())
    last = last.removeprefix("Error: ")
    if code in INTERRUPTED:
        return Outcome("interrupted", "the run was interrupted or killed")
    return Outcome("blocked" if code == 2 else "failed", last or f"exit code {code}")


def _keep(stream: IO[str], lines: deque[str], terminal: TextIO | None) -> None:
    for line in stream:
        lines.append(line)
        if terminal is not None:
            terminal.write(line)
            terminal.flush()
