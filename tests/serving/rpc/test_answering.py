"""What all methods have in common: time, statuses, limits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from serving.inference.target import Prediction
from serving.rpc.limits import GrpcLimits
from serving.rpc.tensors import proto_of
from serving.status import Code, ServingError
from tests.serving.contract import messages
from tests.serving.contract.messages import (
    SECONDS,
    floats,
    metadata,
    predict,
    refused,
    spec,
    status,
)
from tests.serving.rpc.conftest import Bare, Heard
from tests.serving.rpc.stand_ins import Answers, Fails, Manager, Waits

ONE = predict(spec("m"), {"x": floats(1.0)})


Start = Callable[..., Bare]


def test_an_answer_says_who_gave_it_and_the_observer_hears_of_it(bare: Start) -> None:
    heard = Heard()
    answer = bare(Answers(), observer=heard).prediction.Predict(ONE, timeout=SECONDS)
    assert answer.model_spec == spec("m", "serving_default", 7)
    assert list(answer.outputs["x"].float_val) == [1.0]
    assert heard.requests == [("Predict", "m", Code.OK)]


@pytest.mark.parametrize("code", [c for c in Code if c != Code.OK])
def test_every_code_is_that_status(bare: Start, code: Code) -> None:
    heard = Heard()
    server = bare(Fails(ServingError(code, "so it is: ü")), observer=heard)
    assert refused(server.prediction.Predict, ONE) == (code.name, "so it is: ü")
    assert heard.requests == [("Predict", "m", code)]


@pytest.mark.parametrize("method", ["Predict", "GetModelStatus", "GetModelMetadata"])
def test_what_nobody_foresaw_is_in_the_log_and_not_in_the_answer(
    bare: Start, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    heard = Heard()
    server = bare(Fails(ZeroDivisionError("the secret of /home/me")), observer=heard)
    stub = server.model_service if method == "GetModelStatus" else server.prediction
    request = {
        "Predict": ONE,
        "GetModelStatus": status(spec("m")),
        "GetModelMetadata": metadata(spec("m"), "signature_def"),
    }[method]
    with caplog.at_level(logging.ERROR):
        code, message = refused(getattr(stub, method), request)
    assert code == "INTERNAL"
    assert "secret" not in message
    assert "ZeroDivision" not in message
    reference = message.rsplit(" ", maxsplit=1)[1]
    assert len(reference) == 12
    assert reference in caplog.text
    assert "the secret of /home/me" in caplog.text
    assert heard.requests == [(method, "m", Code.INTERNAL)]


@pytest.mark.parametrize("letter", ["x", "é", "漢", "𝄞", "\n", "\0"])
def test_a_long_message_is_cut_and_arrives(bare: Start, letter: str) -> None:
    text = letter * 5000
    server = bare(Fails(ServingError(Code.NOT_FOUND, text)))
    code, message = refused(server.prediction.Predict, ONE)
    assert code == "NOT_FOUND"
    assert message.endswith("...TRUNCATED")
    assert text.startswith(message.removesuffix("...TRUNCATED"))
    assert 1000 < len(message.encode()) < 1100


def test_a_client_that_cancels_cancels_the_work(bare: Start) -> None:
    waits, heard = Waits(), Heard()
    call = bare(waits, observer=heard).prediction.Predict.future(ONE, timeout=SECONDS)
    assert waits.asked.wait(SECONDS)
    call.cancel()
    assert waits.cancelled.wait(SECONDS)
    assert until(lambda: heard.requests == [("Predict", "m", Code.CANCELLED)]), heard.requests


def test_a_client_that_hangs_up_cancels_the_work(bare: Start) -> None:
    waits = Waits()
    server = bare(waits)
    channel = grpc.insecure_channel(f"127.0.0.1:{server.port}")
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    pending = call.future(ONE.SerializeToString(), timeout=SECONDS)
    assert waits.asked.wait(SECONDS)
    channel.close()
    assert pending.cancelled() or pending.done()
    assert waits.cancelled.wait(SECONDS)


def until(done: Callable[[], bool]) -> bool:
    """Whether `done` comes true in time."""
    pause = threading.Event()
    for _ in range(int(SECONDS / 0.01)):
        if done():
            return True
        pause.wait(0.01)
    return False


def test_a_deadline_that_passes_ends_the_work(bare: Start) -> None:
    waits, heard = Waits(), Heard()
    server = bare(waits, observer=heard)
    with pytest.raises(grpc.RpcError) as caught:
        server.prediction.Predict(ONE, timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert waits.cancelled.wait(SECONDS)
    assert until(lambda: heard.requests == [("Predict", "m", Code.DEADLINE_EXCEEDED)]), heard


@pytest.mark.parametrize(
    ("limits", "timeout", "most"),
    [
        (GrpcLimits(), 20.0, 20.0),
        (GrpcLimits(), None, None),
        (GrpcLimits(default_seconds=9.0), None, 9.0),
        (GrpcLimits(default_seconds=9.0), 20.0, 20.0),
        (GrpcLimits(max_seconds=5.0), 20.0, 5.0),
        (GrpcLimits(max_seconds=5.0), None, 5.0),
        (GrpcLimits(max_seconds=50.0), 20.0, 20.0),
    ],
)
def test_the_deadline_reaches_the_inference(
    bare: Start, limits: GrpcLimits, timeout: float | None, most: float | None
) -> None:
    answers = Answers()
    bare(answers, limits=limits).prediction.Predict(ONE, timeout=timeout)
    (given,) = answers.deadlines
    if most is None:
        assert given is None
    else:
        assert given is not None
        assert most / 2 < given < most + 1, "gRPC sends times rounded"


def test_a_request_without_a_deadline_gets_no_more_time_than_the_server_gives(bare: Start) -> None:
    heard = Heard()
    server = bare(Waits(), observer=heard, limits=GrpcLimits(max_seconds=0.1))
    code, message = refused(server.prediction.Predict, ONE)
    assert (code, "deadline" in message) == ("DEADLINE_EXCEEDED", True)
    assert heard.requests == [("Predict", "m", Code.DEADLINE_EXCEEDED)]


def test_requests_beyond_the_number_that_is_allowed_are_refused_at_once(bare: Start) -> None:
    waits, heard = Waits(), Heard()
    server = bare(waits, observer=heard, limits=GrpcLimits(max_concurrent_requests=1))
    first = server.prediction.Predict.future(ONE, timeout=SECONDS)
    assert waits.asked.wait(SECONDS)
    code, message = refused(server.prediction.Predict, ONE)
    assert (code, "1 requests are in work already" in message) == ("RESOURCE_EXHAUSTED", True)
    assert heard.requests == [("Predict", "m", Code.RESOURCE_EXHAUSTED)]
    check = health_pb2_grpc.HealthStub(server.channel).Check
    # Who asks whether the server lives gets an answer all the same.
    assert check(health_pb2.HealthCheckRequest(), timeout=SECONDS).status == 1
    first.cancel()
    assert waits.cancelled.wait(SECONDS)
    assert until(lambda: len(heard.requests) == 2)
    waits.asked.clear()
    second = server.prediction.Predict.future(ONE, timeout=SECONDS)
    assert waits.asked.wait(SECONDS), "there is room again"
    second.cancel()


def test_messages_have_the_size_that_is_allowed(bare: Start) -> None:
    server = bare(Answers(), limits=GrpcLimits(max_message_bytes=4096))
    small = predict(spec("m"), {"x": floats(*np.arange(900))})
    assert server.prediction.Predict(small, timeout=SECONDS).outputs["x"].float_val[-1] == 899
    large = predict(spec("m"), {"x": floats(*np.arange(1100))})
    code, _ = refused(server.prediction.Predict, large)
    assert code == "RESOURCE_EXHAUSTED"


def test_a_large_request_and_answer_hold_nobody_up_and_come_back(bare: Start) -> None:
    server = bare(Answers())
    array = np.arange(3_000_000, dtype=np.int32)
    large = predict(spec("m"), {"x": proto_of(array, "x")})
    call = server.prediction.Predict.future(large, timeout=SECONDS)
    others = 0
    while not call.done():
        server.prediction.Predict(ONE, timeout=SECONDS)
        others += 1
    assert others > 1
    assert np.array_equal(tf.make_ndarray(call.result().outputs["x"]), array)


def test_an_answer_that_is_larger_than_allowed_is_an_error(bare: Start) -> None:
    class Grows(Answers):
        async def predict(self, target: Any, *rest: Any) -> Prediction:
            return Prediction({"y": np.zeros(5000, np.float32)}, target.name, 1, "s")

    server = bare(Grows(), limits=GrpcLimits(max_message_bytes=4096))
    assert refused(server.prediction.Predict, ONE)[0] == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize("name", ["max_message_bytes", "max_streams", "max_seconds"])
def test_limits_of_nothing_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be above 0"):
        GrpcLimits(**{name: 0})


def test_two_servers_cannot_have_one_port(bare: Start) -> None:
    first = bare(Answers())

    async def second() -> int:
        from serving.rpc.server import build_grpc_server

        other = build_grpc_server(Answers(), None, reload_roots=())  # type: ignore[arg-type]
        return other.add_insecure_port(f"127.0.0.1:{first.port}")

    with pytest.raises(RuntimeError, match=str(first.port)):
        first.loop.run(second())


def test_reloading_is_finished_even_if_the_client_goes_away(bare: Start, tmp_path: Path) -> None:
    manager = Manager()
    server = bare(Answers(), manager, reload_roots=[tmp_path])
    text = (
        'model_config_list { config { name: "m" model_platform: "tensorflow" '
        f'base_path: "{tmp_path}/m" }} }}'
    )
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    request = messages.reload_config(config)
    call = server.model_service.HandleReloadConfigRequest.future(request, timeout=SECONDS)
    assert manager.begun.wait(SECONDS)
    call.cancel()
    assert manager.done.wait(SECONDS)
    assert manager.models == ["m"]
