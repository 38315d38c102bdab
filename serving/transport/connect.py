"""`connect`: the transport for an endpoint."""

from __future__ import annotations

from models.errors import BadInputError
from serving.transport.endpoint import Endpoint, Tls
from serving.transport.transport import Transport


def connect(url: str, token: str | None = None, tls: Tls | None = None) -> Transport:
    """The transport for `url`; nothing is sent yet.

    Args:
        url: `http(s)://host:port` for REST, `grpc(s)://host:port` for gRPC.
        token: Bearer token, if the server wants one.
        tls: Certificates, with https and grpcs only.

    Raises:
        BadInputError: If the URL, the token or the certificates cannot be used.
    """
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
