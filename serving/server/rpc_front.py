"""`RpcFront`: counts the requests to the gRPC services and writes them into the access log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from serving.server.access_log import Access, AccessLog, request_id
from serving.server.traffic import Traffic

_HEALTH = "/grpc.health.v1.Health/"
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class RpcFront(grpc.aio.ServerInterceptor):
    """Stands before every method but the health service's, and before other interceptors.

    Args:
        traffic: Counts the requests in work.
        log: Writes them down.
    """

    def __init__(self, traffic: Traffic, log: AccessLog) -> None:
        self._traffic = traffic
        self._log = log

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        """The handler of a method, counted and written down."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or handler.unary_unary is None or method.startswith(_HEALTH):
            return handler
        metadata = dict(handler_call_details.invocation_metadata or ())
        identity = request_id(metadata.get("x-request-id"))
        return grpc.unary_unary_rpc_method_handler(
            self._observed(method.rpartition("/")[2], identity, handler.unary_unary),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _observed(self, method: str, identity: str, inner: Any) -> Any:
        async def call(request: Any, context: Any) -> Any:
            start = time.monotonic()
            response = None
            cancelled = False
            try:
                with self._traffic.counted("grpc"):
                    response = await inner(request, context)
            except asyncio.CancelledError:
                cancelled = True
                raise
            finally:
                if self._log.enabled:
                    status = "CANCELLED" if cancelled else _status(context, response)
                    spec = _spec(request)
                    self._log.write(
                        Access(
                            protocol="grpc",
                            method=method,
                            model="" if spec is None else spec.name,
                            version=_version(_spec(response)) or _version(spec),
                            status=status,
                            ok=status == "OK",
                            seconds=time.monotonic() - start,
                            received=_size(request),
                            sent=_size(response),
                            peer=context.peer(),
                            request_id=identity,
                        )
                    )
            return response

        return call


def _status(context: Any, response: Any) -> str:
    code = context.code()
    number = code.value[0] if isinstance(code, grpc.StatusCode) else code
    if not number:
        return "UNKNOWN" if response is None else "OK"
    return _CODES.get(number, "UNKNOWN")


def _spec(message: Any) -> Any:
    """The model_spec of a message; MultiInference has one in each of its tasks or results."""
    if hasattr(message, "model_spec"):
        return message.model_spec
    for name in ("tasks", "results"):
        parts = getattr(message, name, None)
        if parts:
            return parts[0].model_spec
    return None


def _version(spec: Any) -> int | None:
    if spec is None or spec.WhichOneof("version_choice") != "version":
        return None
    return int(spec.version.value)


def _size(message: Any) -> int:
    if message is None:
        return 0
    return len(message) if isinstance(message, bytes) else int(message.ByteSize())
