"""`run`: what can be told at once is told before TensorFlow is loaded; then the server runs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving.runtimes.choose import missing_package
from serving.server import ports
from serving.server.access_log import AccessLog
from serving.server.errors import StartError
from serving.server.ready import prepare
from serving.server.settings import ServerSettings

Say = Callable[[str], None]
GRPC_OPTION = "gRPC port"
REST_OPTION = "REST port"


@dataclass(frozen=True)
class Reserved:
    """What the process holds already.

    Attributes:
        rest: The bound socket of REST, which does not listen yet.
        grpc_port: Free a moment ago; gRPC binds its sockets itself.
        log: The open access log.
    """

    rest: socket.socket
    grpc_port: int
    log: AccessLog


def run(settings: ServerSettings, *, say: Say, warn: Say) -> int:
    """Runs the embedded server until a signal ends it.

    Args:
        settings: What to serve, and how.
        say: Takes lines for people.
        warn: Takes warnings for people.

    Returns:
        The exit code: 0, or 1 if requests had to be cut off.

    Raises:
        StartError: If it cannot start.
    """
    for warning in warnings(settings):
        warn(warning)
    with reserved(settings) as held:
        from serving.server.process import serve

        return serve(settings, held, say=say, warn=warn)


@contextmanager
def reserved(settings: ServerSettings) -> Iterator[Reserved]:
    """Takes the ports and files.

    Raises:
        StartError: If one cannot be had.
    """
    if problem := missing_package(settings.engine):
        raise StartError(problem)
    if settings.ready_file is not None:
        prepare(settings.ready_file)
    if settings.request_log is not None:
        prepare_folder(settings.request_log.directory)
    with ExitStack() as stack:
        rest = stack.enter_context(ports.bound(settings.host, settings.rest_port, REST_OPTION))
        with ports.bound(settings.host, settings.grpc_port, GRPC_OPTION) as probe:
            ports.listen(probe, GRPC_OPTION)  # only this tells whether another listens there
            grpc_port = ports.number(probe)
        log = AccessLog(settings.access_log)
        stack.callback(log.close)
        yield Reserved(rest, grpc_port, log)


def prepare_folder(folder: Path) -> None:
    """Makes the folder of the request log, if it is missing.

    Raises:
        StartError: If nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"cannot keep requests in {folder}: {error.strerror or error}; give another folder"
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StartError(f"cannot keep requests in {folder}: it cannot be written to")


def warnings(settings: ServerSettings) -> list[str]:
    """What a person should know of `settings` before others find out."""
    if settings.loopback:
        return []
    if settings.tls is None and settings.token is None:
        return [
            f"whoever can reach {settings.host} can use the models: there is neither TLS with "
            "client certificates nor a token"
        ]
    if settings.tls is None:
        return ["the token and all data go over the network in plain text: there is no TLS"]
    if settings.token is None and settings.tls.client_ca is None:
        return [
            f"whoever can reach {settings.host} can use the models: TLS hides what is sent, but "
            "there are neither client certificates nor a token"
        ]
    return []
