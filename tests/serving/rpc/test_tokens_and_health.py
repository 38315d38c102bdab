"""Who may ask, and what the health service tells everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.rpc.health import SERVICES, Health
from tests.serving.contract.messages import SECONDS, floats, predict, refused, spec
from tests.serving.rpc.conftest import Bare
from tests.serving.rpc.stand_ins import Answers

ONE = predict(spec("m"), {"x": floats(1.0)})
TOKEN = "correct-horse-battery-staple"
Start = Callable[..., Bare]


KEYS: dict[str, tuple[tuple[tuple[str, str], ...], bool]] = {
    "none": ((), False),
    "the right one": ((("authorization", f"Bearer {TOKEN}"),), True),
    "the right one, scheme in small letters": ((("authorization", f"bearer {TOKEN}"),), True),
    "the right one after a wrong one": (
        (("authorization", "Bearer no"), ("authorization", f"Bearer {TOKEN}")),
        True,
    ),
    "a wrong one": ((("authorization", "Bearer wrong-horse-battery-staple"),), False),
    "its beginning": ((("authorization", f"Bearer {TOKEN[:-1]}"),), False),
    "more than it": ((("authorization", f"Bearer {TOKEN}x"),), False),
    "nothing but the scheme": ((("authorization", "Bearer "),), False),
    "no scheme": ((("authorization", TOKEN),), False),
    "another scheme": ((("authorization", f"Basic {TOKEN}"),), False),
    "another header": ((("x-token", TOKEN),), False),
}


@pytest.mark.parametrize("case", KEYS)
def test_tokens(bare: Start, case: str) -> None:
    headers, right = KEYS[case]
    ask = bare(Answers(), token=TOKEN).prediction.Predict
    if right:
        assert ask(ONE, timeout=SECONDS, metadata=headers).model_spec.name == "m"
        return
    code, message = refused(lambda request, timeout: ask(request, timeout, headers), ONE)
    assert code == "UNAUTHENTICATED"
    assert "Bearer <token>" in message
    assert TOKEN not in message


@pytest.mark.parametrize(
    "method",
    [
        "tensorflow.serving.PredictionService/Predict",
        "tensorflow.serving.ModelService/HandleReloadConfigRequest",
        "tensorflow.serving.ModelService/GetModelStatus",
        "no.such.Service/Method",
        "grpc.health.v1.HealthX/Check",
    ],
)
def test_without_the_token_nothing_is_told_of_any_method(bare: Start, method: str) -> None:
    server = bare(Answers(), token=TOKEN)
    call = server.channel.unary_unary(f"/{method}")
    assert refused(call, b"\xff\xff not parsed")[0] == "UNAUTHENTICATED"


def health(server: Bare) -> Any:
    return health_pb2_grpc.HealthStub(server.channel)


def test_health_needs_no_token_and_follows_the_server(bare: Start) -> None:
    told = Health()
    server = bare(Answers(), token=TOKEN, health=told)
    serving = health_pb2.HealthCheckResponse.ServingStatus
    server.loop.run(told.starting())
    for service in SERVICES:
        request = health_pb2.HealthCheckRequest(service=service)
        assert health(server).Check(request, timeout=SECONDS).status == serving.NOT_SERVING
    server.loop.run(told.ready())
    for service in SERVICES:
        request = health_pb2.HealthCheckRequest(service=service)
        assert health(server).Check(request, timeout=SECONDS).status == serving.SERVING
    watched = health(server).Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS)
    assert next(watched).status == serving.SERVING
    server.loop.run(told.stopping())
    assert next(watched).status == serving.NOT_SERVING
    server.loop.run(told.ready())
    request = health_pb2.HealthCheckRequest()
    assert health(server).Check(request, timeout=SECONDS).status == serving.NOT_SERVING
    watched.cancel()


def test_the_health_of_a_service_that_there_is_not(bare: Start) -> None:
    request = health_pb2.HealthCheckRequest(service="elman.Shell")
    assert refused(health(bare(Answers())).Check, request)[0] == "NOT_FOUND"
