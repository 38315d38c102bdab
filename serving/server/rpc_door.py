"""`RpcDoor`: token, number of requests and access log around the gRPC services."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from serving.server.access_log import Access, AccessLog, request_id
from serving.server.door import Door
from serving.status import ServingError

_HEALTH = "/grpc.health.v1.Health/"
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class RpcDoor(grpc.aio.ServerInterceptor):
    """Stands before every method but the health service, which load balancers ask untold.

    Args:
        door: Decides which requests come in.
        log: Writes all of them down.
    """

    def __init__(self, door: Door, log: AccessLog) -> None:
        self._door = door
        self._log = log

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        """The handler of a method, with the door before it."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_HEALTH) or handler.unary_unary is None:
            return handler
        given = dict(handler_call_details.invocation_metadata or ())
        identity = request_id(given.get("x-request-id"))
        try:
            self._door.check(given.get("authorization"))
        except ServingError as refusal:
            # Without a deserializer: what a stranger sends is not even parsed.
            return grpc.unary_unary_rpc_method_handler(self._refusing(method, identity, refusal))
        return grpc.unary_unary_rpc_method_handler(
            self._guarded(method, identity, handler.unary_unary),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _guarded(self, method: str, identity: str, inner: Any) -> Any:
        async def call(request: Any, context: Any) -> Any:
            start = time.monotonic()
            response = None
            cancelled = False
            try:
                try:
                    with self._door.admitted():
                        response = await inner(request, context)
                except ServingError as refusal:  # of the door; services never raise it
                    await _abort(context, refusal)
            except asyncio.CancelledError:
                cancelled = True
                raise
            finally:
                if self._log.enabled:
                    status = "CANCELLED" if cancelled else _status(context, response)
                    self._write(method, identity, context, start, request, response, status)
            return response

        return call

    def _refusing(self, method: str, identity: str, refusal: ServingError) -> Any:
        async def call(request: bytes, context: Any) -> None:
            start = time.monotonic()
            try:
                await _abort(context, refusal)
            finally:
                if self._log.enabled:
                    status = refusal.code.name
                    self._write(method, identity, context, start, request, None, status)

        return call

    def _write(
        self,
        method: str,
        identity: str,
        context: Any,
        start: float,
        request: Any,
        response: Any,
        status: str,
    ) -> None:
        answered = _spec(response)
        asked = _spec(request)
        version = _version(answered) or _version(asked)
        self._log.write(
            Access(
                protocol="grpc",
                method=method.rpartition("/")[2],
                model="" if asked is None else asked.name,
                version=version,
                status=status,
                ok=status == "OK",
                seconds=time.monotonic() - start,
                received=_size(request),
                sent=_size(response),
                peer=context.peer(),
                request_id=identity,
            )
        )


async def _abort(context: Any, refusal: ServingError) -> None:
    code = next(c for c in grpc.StatusCode if c.value[0] == refusal.code)
    await context.abort(code, refusal.message)


def _status(context: Any, response: Any) -> str:
    code = context.code()
    number = code.value[0] if isinstance(code, grpc.StatusCode) else code
    if not number:
        return "OK" if response is not None else "UNKNOWN"
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
