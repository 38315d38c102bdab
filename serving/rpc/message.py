"""`MessageInterceptor`: a request that is no message of its kind is the client's mistake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError


class MessageInterceptor(grpc.aio.ServerInterceptor):
    """Answers what cannot be parsed with INVALID_ARGUMENT.

    gRPC by itself answers UNKNOWN, with the text of a Python exception, and writes a traceback into
    the log for every such request.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """The handler of a method, careful about what it is sent; None for an unknown method."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            _told(handler.unary_unary),
            request_deserializer=_lenient(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )


def _lenient(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def parse_or_none(data: bytes) -> Any:
        try:
            return parse(data)
        except DecodeError:
            return None

    return parse_or_none


def _told(answer: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def answer_if_parsed(request: Any, context: Any) -> Any:
        if request is None:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                "the request is not a protocol buffer of the kind that this method takes",
            )
        return await answer(request, context)

    return answer_if_parsed
