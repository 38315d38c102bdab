"""TCP ports: taken before anything slow starts, or told that they cannot be."""

from __future__ import annotations

import errno
import socket

from serving.server.errors import StartError

_BACKLOG = 2048


def bound(host: str, port: int, option: str) -> socket.socket:
    """A socket bound to `host` and `port` (0: any that is free), not yet listening.

    Args:
        host: Address or name.
        port: Number.
        option: What chose the port, for the message.

    Raises:
        StartError: If it cannot be bound.
    """
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise StartError(f"cannot listen on {host}: {error.strerror or error}") from None
    family, kind, protocol, _, address = found[0]
    taken = socket.socket(family, kind, protocol)
    try:
        # A server that is started again must not wait for connections of the one before to fade.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        taken.close()
        raise StartError(_words(host, port, option, error)) from None
    return taken


def listen(taken: socket.socket, option: str) -> None:
    """Makes a bound socket listen.

    Raises:
        StartError: If another process listens there by now.
    """
    host, port = taken.getsockname()[:2]
    try:
        taken.listen(_BACKLOG)
    except OSError as error:
        raise StartError(_words(host, port, option, error)) from None


def number(taken: socket.socket) -> int:
    """The port of a bound socket."""
    return int(taken.getsockname()[1])


def _words(host: str, port: int, option: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken; stop what listens there, or give another {option}"
    if error.errno == errno.EACCES:
        return f"port {port} needs rights that this process has not; give another {option}"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"
