"""What tensorflow_model_server cannot do of what the embedded server can."""

from __future__ import annotations

from serving.server.settings import AccessLogSettings, ServerSettings

BINARY = "tensorflow_model_server"
ALL_INTERFACES = frozenset({"0.0.0.0", "::", "[::]"})  # noqa: S104 (recognised, not bound)


def unkept(settings: ServerSettings) -> list[str]:
    """What in `settings` it would not keep, each as a phrase; empty if it keeps all.

    Not among them: the address to listen on (`exposure`), for it never keeps that, and TLS for REST
    (`rest_in_the_open`), without which it runs with gRPC alone.
    """
    found = []
    if settings.token is not None:
        found.append("it cannot ask for a bearer token")
    if settings.access_log != AccessLogSettings():
        found.append("it writes no access log")
    if settings.request_log is not None:
        found.append("it keeps no requests")
    if settings.engine != "tensorflow":
        found.append(f"it runs no model by {settings.engine}")
    return found


def rest_in_the_open(settings: ServerSettings) -> str | None:
    """That TLS is asked for, which it has only for gRPC; None if it is not."""
    return None if settings.tls is None else "it has no TLS for REST, only for gRPC"


def exposure(settings: ServerSettings) -> str | None:
    """A warning that it listens where `settings` does not say; None if it listens there."""
    if settings.host in ALL_INTERFACES:
        return None
    return (
        f"{BINARY} listens on every address of this machine and cannot be bound to "
        f"{settings.host}: who reaches ports {settings.grpc_port} and {settings.rest_port} can "
        "ask the model. Close the ports in the firewall, or use the embedded engine"
    )
