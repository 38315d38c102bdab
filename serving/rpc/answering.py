"""`Desk`: what all methods have in common: time, errors as statuses, word to the observer."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc

from serving.observer import Observer
from serving.rpc.limits import GrpcLimits
from serving.status import Code, ServingError

Answer = TypeVar("Answer")
Work = Callable[[float | None], Awaitable[Answer]]

# As TF Serving: the message travels in a header, and headers are bounded.
_LONGEST = 1024
_STATUS = {code.value[0]: code for code in grpc.StatusCode}
_log = logging.getLogger(__name__)


class Desk:
    """Takes requests in and sees that each leaves with an answer or a status.

    Args:
        observer: Hears of every request that ends.
        limits: How much time a request gets, and how large it may be.
    """

    def __init__(self, observer: Observer, limits: GrpcLimits) -> None:
        self._observer = observer
        self.limits = limits
        self._inside = 0

    async def answer(self, context: Any, method: str, model: str, work: Work[Answer]) -> Answer:
        """The answer of `work`, or the end of the request with a status.

        Args:
            context: The request's `grpc.aio.ServicerContext`.
            method: As the observer knows it, such as `Predict`.
            model: Name of the model asked for, for the observer.
            work: Makes the answer; called with the time of the event loop at which to give up, None
                if there is no such time.

        Raises:
            grpc.aio.AbortError: The request has ended with a status.
        """
        started = time.monotonic()
        seconds = self.limits.seconds(context.time_remaining())
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        code, message = Code.OK, ""
        try:
            with self._admitted():
                async with asyncio.timeout_at(deadline):
                    return await work(deadline)
        except ServingError as error:
            code, message = error.code, error.message
        except TimeoutError:
            code, message = Code.DEADLINE_EXCEEDED, "the request was not done before its deadline"
        except asyncio.CancelledError:
            # gRPC has ended the request already: by its deadline, or because the client went away.
            late = deadline is not None and asyncio.get_running_loop().time() >= deadline
            code = Code.DEADLINE_EXCEEDED if late else Code.CANCELLED
            raise
        except Exception:
            code, reference = Code.INTERNAL, uuid.uuid4().hex[:12]
            message = f"internal error; the server's log has it under reference {reference}"
            _log.exception("%s of model %r failed (reference %s)", method, model, reference)
        finally:
            self._observer.request(
                model=model,
                method=method,
                protocol="grpc",
                code=code,
                seconds=time.monotonic() - started,
            )
        await context.abort(_STATUS[code], _shortened(message))
        raise AssertionError("abort does not return")

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        # Not gRPC's own bound, which the health service would count for too: a server that is
        # busy would look like one that is dead.
        most = self.limits.max_concurrent_requests
        if most is not None and self._inside >= most:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED, f"{most} requests are in work already; try again later"
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1


def _shortened(message: str) -> str:
    data = message.encode(errors="replace")
    if len(data) <= _LONGEST:
        return data.decode()
    return data[:_LONGEST].decode(errors="ignore") + "...TRUNCATED"
