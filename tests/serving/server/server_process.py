"""A real server process, for tests of what only a process can show."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PATIENCE = 240.0
"""Seconds until a test fails instead of hanging; TensorFlow alone can take a minute to start."""


class ServerProcess:
    """A server that is started at once; `wait_ready` before asking it anything.

    Args:
        folder: For the ready file and what the server says.
        command: After the Python interpreter; `--ready_file` or the like is added by the caller.
        environment: Beside the test's own.
    """

    def __init__(self, folder: Path, command: list[str], **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ready_file = folder / "ready.json"
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            )

    @property
    def out(self) -> str:
        return self._out.read_text("utf-8", "replace")

    @property
    def err(self) -> str:
        return self._err.read_text("utf-8", "replace")

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for `condition` as long as the process lives."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, f"ended before {what}:\n{self.out}{self.err}"
            assert time.monotonic() < deadline, f"not {what}:\n{self.out}{self.err}"
            time.sleep(0.05)

    def wait_ready(self) -> dict[str, Any]:
        """What the ready file says."""
        self.until(self.ready_file.exists, "ready")
        return dict(json.loads(self.ready_file.read_text("utf-8")))

    def end(self) -> int:
        """Waits for the process to end by itself; its exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """Ends it, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def embedded(
    folder: Path, base: Path, *flags: str, name: str = "m", **environment: str
) -> ServerProcess:
    """`python -m serving.server` on any free ports."""
    given = ["--port=0", "--rest_api_port=0", f"--model_name={name}", f"--model_base_path={base}"]
    given.append(f"--ready_file={folder / 'ready.json'}")
    return ServerProcess(folder, ["-m", "serving.server", *given, *flags], **environment)


def digest(folder: Path) -> dict[str, tuple[str, int]]:
    """Content and time of change of everything in `folder`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[path.relative_to(folder).as_posix()] = (content, path.stat().st_mtime_ns)
    return found
