"""A stand-in for `Inference`, and requests to an application on it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from serving.inference.target import Prediction, Target
from serving.observer import Silent
from serving.rest.limits import RestLimits
from serving.status import Code
from tests.serving.rest.asgi import Answer, call
from tests.serving.rest.tensor_infos import infos

PREDICT = "/v1/models/echo:predict"
GOOD = b'{"instances": [[1.0, 2.0], [3.0, 4.0]]}'
LIMITS = RestLimits(
    max_body_bytes=1000,
    max_decompressed_bytes=2000,
    body_seconds=0.3,
    request_seconds=0.6,
    inline_bytes=500,
)


class Signature:
    inputs = infos({"x": "float"})


class Fake:
    """Gives inputs back; or waits, or fails, as told."""

    def __init__(self) -> None:
        self.wait: float = 0.0
        self.error: Exception | None = None
        self.deadlines: list[float | None] = []
        self.cancelled = False

    def signature(self, target: Target) -> Any:
        return Signature()

    async def predict(
        self, target: Target, inputs: Any, outputs: Any = (), deadline: float | None = None
    ) -> Prediction:
        self.deadlines.append(deadline)
        try:
            await asyncio.sleep(self.wait)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.error:
            raise self.error
        return Prediction({"y": inputs["x"]}, target.name, 5, "serving_default")


class Heard(Silent):
    """Keeps what it hears of requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, Code]] = []

    def request(
        self, *, model: str, method: str, protocol: str, code: Code, seconds: float
    ) -> None:
        assert seconds >= 0
        self.requests.append((model, method, protocol, code))


def ask(app: Any, *args: Any, **options: Any) -> Answer:
    return asyncio.run(call(app, *args, **options))


def error(answer: Answer) -> str:
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.body)
    (message,) = json.loads(answer.body).values()
    return str(message)
