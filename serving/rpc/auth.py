"""`TokenInterceptor`: lets only those in who know the token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc

# Load balancers and Kubernetes ask without a token; the answer tells no more than "up" or "down".
_OPEN = "/grpc.health.v1.Health/"


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses requests without `authorization: Bearer <token>` in their metadata.

    The health service stays open.

    Args:
        token: What clients must know.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Lets the request on, or answers it with UNAUTHENTICATED."""
        details = handler_call_details
        if details.method.startswith(_OPEN) or self._known(details.invocation_metadata):
            return await continuation(details)
        return grpc.unary_unary_rpc_method_handler(_refuse)

    def _known(self, metadata: Any) -> bool:
        return any(self._is_token(value) for key, value in metadata if key == "authorization")

    def _is_token(self, header: str | bytes) -> bool:
        text = header if isinstance(header, bytes) else header.encode(errors="replace")
        scheme, _, given = text.partition(b" ")
        # In constant time, so that the time of a refusal does not tell how much was right.
        right = hmac.compare_digest(given.strip(), self._token)
        return right and scheme.lower() == b"bearer"


async def _refuse(request: Any, context: Any) -> NoReturn:  # noqa: ARG001
    await context.abort(
        grpc.StatusCode.UNAUTHENTICATED,
        "this server asks for a token: send the metadata authorization: Bearer <token>",
    )
    raise AssertionError("abort does not return")
