"""`connect`: the transport for an endpoint."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from models.errors import BadInputError
from serving.runtimes.runtime import ENGINES, EngineName
from serving.transport.endpoint import Endpoint, Tls
from serving.transport.transport import Transport


def connect(
    url: str,
    token: str | None = None,
    tls: Tls | None = None,
    engine: EngineName = "tensorflow",
) -> Transport:
    """The transport for `url`; nothing is sent yet.

    Args:
        url: `http(s)://host:port` for REST, `grpc(s)://host:port` for gRPC, or `file:///folder`
            of a model's versions, which are then run in this process.
        token: Bearer token, if the server wants one.
        tls: Certificates, with https and grpcs only.
        engine: What runs models in this process, with `file:` only.

    Raises:
        BadInputError: If the URL, the token, the certificates or the engine cannot be used.
    """
    if engine not in ENGINES:
        raise BadInputError(f"engine: expected one of {', '.join(ENGINES)}, got {engine!r}")
    if urlsplit(url).scheme == "file":
        return _local(url, token, tls, engine)
    if engine != "tensorflow":
        raise BadInputError(
            f"engine {engine!r} is for models in this process (file:///folder); the server at "
            f"{url!r} has an engine of its own"
        )
    endpoint = Endpoint.parse(url)
    if tls is not None and not endpoint.secure:
        raise BadInputError(
            f"endpoint {url!r} is not encrypted, so certificates would not be used: write https:// "
            "or grpcs://, or leave them out"
        )
    if token is not None and not (token.isascii() and token.isprintable() and token.strip()):
        raise BadInputError("the token is empty or holds characters that no header can carry")
    if endpoint.protocol == "grpc":
        from serving.transport.rpc import RpcTransport

        return RpcTransport(endpoint, token, tls)
    from serving.transport.rest import RestTransport

    return RestTransport(endpoint, token, tls)


def _local(url: str, token: str | None, tls: Tls | None, engine: EngineName) -> Transport:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise BadInputError(f"endpoint {url!r}: expected file:///absolute/folder of versions")
    if token is not None or tls is not None:
        raise BadInputError(f"endpoint {url!r} is a folder: leave out token and certificates")
    from serving.transport.local import LocalTransport

    return LocalTransport(Path(unquote(parts.path)), engine)
