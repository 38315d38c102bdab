"""`serve`: runs tensorflow_model_server and stays with it until it ends."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from serving.server import ports
from serving.server.errors import StartError
from serving.server.ready import Ready, prepare
from serving.server.settings import ServerSettings
from serving.tensorflow_model_server.files import arguments, write_files
from serving.tensorflow_model_server.limits import BINARY, exposure, unkept

_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_EVERYWHERE = "0.0.0.0"  # noqa: S104 (where the binary listens, whatever it is told)
_PR_SET_PDEATHSIG = 1


Say = Callable[[str], None]


def serve(settings: ServerSettings, *, say: Say, warn: Say) -> int:
    """Runs tensorflow_model_server until it ends, and passes signals on to it.

    Args:
        settings: What to serve.
        say: Takes lines for people.
        warn: Takes warnings for people.

    Returns:
        Its exit code; 128 and the signal's number, if a signal ended it.

    Raises:
        StartError: If there is no such binary, it cannot do what `settings` say, or a port is
            taken.
    """
    binary = shutil.which(BINARY)
    if binary is None:
        raise StartError(f"{BINARY} is not on the PATH; install TF Serving, or use another engine")
    settings = _with_ports(settings)
    if problems := unkept(settings):
        raise StartError(f"{BINARY} cannot do this: {'; '.join(problems)}. Use the embedded engine")
    if (exposed := exposure(settings)) is not None:
        warn(exposed)
    if settings.tls is not None:
        warn(f"{BINARY} has TLS only for gRPC, so REST and metrics are off")
    if settings.ready_file is not None:
        prepare(settings.ready_file)
    with tempfile.TemporaryDirectory(prefix="elman-tf-serving-") as name:
        folder = Path(name)
        write_files(settings, folder)
        with _child([binary, *arguments(settings, folder)]) as process:
            if _wait_until_open(process, settings, warn):
                ready = _ready(settings, process.pid)
                say(ready.line())
                if settings.ready_file is not None:
                    ready.write(settings.ready_file)
            code = process.wait()
    return code if code >= 0 else 128 - code


def _with_ports(settings: ServerSettings) -> ServerSettings:
    """`settings` with the ports that were free a moment ago in place of 0."""
    with (
        ports.bound(_EVERYWHERE, settings.grpc_port, "gRPC port") as grpc,
        ports.bound(_EVERYWHERE, settings.rest_port, "REST port") as rest,
    ):
        ports.listen(grpc, "gRPC port")  # only this tells whether another listens there
        ports.listen(rest, "REST port")
        return dataclasses.replace(
            settings, grpc_port=ports.number(grpc), rest_port=ports.number(rest)
        )


@contextmanager
def _child(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The process, in a session of its own: a terminal's Ctrl-C reaches it once, through us."""
    # Loaded before the fork, after which only little may be called.
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def die_with_parent() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    process = subprocess.Popen(command, start_new_session=True, preexec_fn=die_with_parent)

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        if process.poll() is None:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_until_open(process: subprocess.Popen[bytes], settings: ServerSettings, warn: Say) -> bool:
    """Waits until the ports are open, which is when the first versions are loaded.

    Returns:
        Whether they are; False if the process has ended instead.
    """
    wanted = [settings.grpc_port] + ([] if settings.tls is not None else [settings.rest_port])
    told = False
    while process.poll() is None:
        if not told and not any(_versions(settings).values()):
            told = True
            warn("nothing to serve yet; waiting for the first version")
        if all(_open(port) for port in wanted):
            return True
        time.sleep(0.2)
    return False


def _open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _versions(settings: ServerSettings) -> dict[str, tuple[int, ...]]:
    """What the policies choose of the versions on disk."""
    found = {}
    for model in settings.models:
        base, policy = model.base_path, model.policy
        names = [path.name for path in base.iterdir()] if base.is_dir() else []
        numbers = sorted(int(name) for name in names if name.isdecimal() and name.isascii())
        if policy.specific is not None:
            numbers = [number for number in numbers if number in policy.specific]
        elif policy.latest is not None:
            numbers = numbers[-policy.latest :]
        found[model.name] = tuple(numbers)
    return found


def _ready(settings: ServerSettings, pid: int) -> Ready:
    return Ready(
        engine="tf-serving",
        host=settings.host,
        grpc_port=settings.grpc_port,
        rest_port=None if settings.tls is not None else settings.rest_port,
        tls=settings.tls is not None,
        metrics_path=None if settings.tls is not None else settings.metrics_path,
        versions=_versions(settings),
        pid=pid,
    )
