"""The embedded server as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 120.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """A server that is up.

    Attributes:
        grpc: `host:port`.
        rest: `host:port`.
        process: Of the server.
    """

    grpc: str
    rest: str
    process: subprocess.Popen[bytes]


@contextmanager
def serving(base: Path, model: str, scratch: Path, *flags: str) -> Iterator[Server]:
    """Serves the model directory `base` on free ports of the loopback while the block runs.

    Args:
        base: The model directory.
        model: The name it is served under.
        scratch: Folder for the ready file and the log.
        flags: Further flags of `python -m serving.server`.

    Raises:
        RuntimeError: If it does not become ready, or does not stop with code 0.
    """
    ready, log = scratch / "ready.json", scratch / "server.log"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "serving.server", "--port=0", "--rest_api_port=0"]
    command += [f"--model_name={model}", f"--model_base_path={base}", f"--ready_file={ready}"]
    with log.open("wb") as words:
        process = subprocess.Popen(
            [*command, *flags], stdout=words, stderr=words, env={**os.environ}, cwd=ROOT
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server is not ready:\n{log.read_text()[-4000:]}")
            time.sleep(0.05)
        ports = json.loads(ready.read_text())
        host = "127.0.0.1"
        yield Server(f"{host}:{ports['grpc_port']}", f"{host}:{ports['rest_port']}", process)
        process.send_signal(signal.SIGTERM)
        if process.wait(PATIENCE) != 0:
            raise RuntimeError(f"the server ended badly:\n{log.read_text()[-4000:]}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
