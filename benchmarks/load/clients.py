"""Clients in a closed loop: each sends its next request when it has the answer to the last.

    python -m benchmarks.load.clients PROTOCOL ADDRESS MODEL CLIENTS SECONDS FILE...

Prints JSON: `seconds`, `failed` (with `errors`, the first ten), and `latencies` in seconds of the
answers that came within the time. In a process of its own, without TensorFlow and with requests
that are bytes already, so that little of what is measured is the client.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

PREDICT = "/tensorflow.serving.PredictionService/Predict"
WARM_UP = 1.0
"""Seconds before anything counts."""

Call = Callable[[bytes], Awaitable[bytes]]


class RestConnection:
    """One kept-alive HTTP/1.1 connection: what a client library costs would hide the server."""

    def __init__(self, address: str, path: str) -> None:
        self.host, _, self.port = address.rpartition(":")
        self.head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __call__(self, body: bytes) -> bytes:
        """The body of the answer.

        Raises:
            RuntimeError: If its status is not 200.
            OSError: If the connection breaks.
        """
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, int(self.port))
        reader, writer = self.streams
        try:
            writer.write(f"{self.head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}
            answer = await reader.readexactly(int(headers["content-length"]))
        except (OSError, asyncio.IncompleteReadError):
            self.streams = None
            writer.close()
            raise
        if headers.get("connection", "").lower() == "close":
            self.streams = None
            writer.close()
        if " 200 " not in lines[0]:
            raise RuntimeError(f"{lines[0]}: {answer[:200]!r}")
        return answer


def connect(protocol: str, address: str, model: str) -> Call:
    """A way to send one request after the other over a connection of its own."""
    if protocol == "rest":
        return RestConnection(address, f"/v1/models/{model}:predict")
    import grpc.aio

    # Channels with equal options would share one connection.
    options = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(address, options=options).unary_unary(PREDICT)


async def run(
    call: Callable[[], Call],
    bodies: list[bytes],
    clients: int,
    seconds: float,
    check: Callable[[int, bytes], str | None] = lambda _, __: None,
) -> dict[str, Any]:
    """Lets `clients` clients send for `seconds` and says how it went.

    Args:
        call: Makes the connection of one client.
        bodies: The requests, taken in turns.
        clients: How many at once.
        seconds: How long, after `WARM_UP`.
        check: From the number of the request and the answer: what is wrong with it, or None.
    """
    latencies: list[float] = []
    errors: list[str] = []
    start = time.perf_counter() + WARM_UP
    end = start + seconds

    async def one(index: int) -> None:
        send, number = call(), index
        while (sent := time.perf_counter()) < end:
            which = number % len(bodies)
            number += clients
            try:
                problem = check(which, await send(bodies[which]))
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
            done = time.perf_counter()
            if problem is not None:
                errors.append(problem)
            elif start <= sent and done <= end:
                latencies.append(done - sent)

    await asyncio.gather(*(one(i) for i in range(clients)))
    return {
        "seconds": seconds,
        "failed": len(errors),
        "errors": errors[:10],
        "latencies": latencies,
    }


def main() -> None:
    """See the module."""
    protocol, address, model, clients, seconds, *files = sys.argv[1:]
    bodies = [Path(f).read_bytes() for f in files]
    found = asyncio.run(
        run(lambda: connect(protocol, address, model), bodies, int(clients), float(seconds))
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
