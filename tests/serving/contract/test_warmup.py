"""Warm-up requests that lie with a model: asked before it takes traffic.

The counter model counts them; a model whose warm-up fails is not served.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tensorflow_serving.apis import prediction_log_pb2

from serving.status import Code
from tests.serving.conftest import ModelFamily
from tests.serving.contract import messages
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.half_plus_two import WARMUP, write_warmup
from tests.serving.contract.messages import SECONDS, example, spec
from tests.serving.contract.setups import entry

pytestmark = pytest.mark.contract("servables/tensorflow/saved_model_warmup_test.cc")

Serve = Callable[[Setup], Running]
Log = prediction_log_pb2.PredictionLog
MOST = 1000
"""Records that a server accepts."""


def count(times: int = 1) -> list[Any]:
    request = messages.predict(spec("counter", "incr_counter"), {})
    return [Log(predict_log=prediction_log_pb2.PredictLog(request=request))] * times


def mixed(times: int) -> list[Any]:
    """Requests of every kind, for half_plus_two."""
    asked = "default"
    x = example(x=2.0)
    logs = prediction_log_pb2
    both = [
        (spec(asked, "regress_x_to_y"), "regress"),
        (spec(asked, "classify_x_to_y"), "classify"),
    ]
    predict = messages.predict(spec(asked), {"x": messages.floats(2.0, shape=(1, 1))})
    return times * [
        Log(regress_log=logs.RegressLog(request=messages.regress(both[0][0], x))),
        Log(classify_log=logs.ClassifyLog(request=messages.classify(both[1][0], x))),
        Log(predict_log=logs.PredictLog(request=predict)),
        Log(multi_inference_log=logs.MultiInferenceLog(request=messages.multi_inference(both, x))),
    ]


def session_run() -> Any:
    return Log(session_run_log=prediction_log_pb2.SessionRunLog())


@pytest.fixture
def warmed(family: ModelFamily, tmp_path: Path) -> Callable[..., Path]:
    """Copies a model and gives it a warm-up file."""

    def copy(source: Path, logs: Sequence[Any] | bytes | None) -> Path:
        folder = tmp_path / "warmed"
        shutil.copytree(source, folder)
        if isinstance(logs, bytes):
            file = folder / WARMUP
            file.parent.mkdir()
            file.write_bytes(logs)
        elif logs is not None:
            write_warmup(folder, logs)
        return folder

    return copy


def counted(server: Running) -> float:
    request = messages.predict(spec("counter", "get_counter"), {})
    answer = server.prediction.Predict(request, timeout=SECONDS)
    return float(answer.outputs["output"].float_val[0])


@pytest.mark.parametrize("times", [None, 0, 10, MOST], ids=["no file", "none", "ten", "most"])
def test_requests_are_asked_once_each(
    serve: Serve, family: ModelFamily, warmed: Callable[..., Path], times: int | None
) -> None:
    source = warmed(family.counter, None if times is None else count(times))
    server = serve(Setup(entry("counter"), {("counter", 1): source}))
    assert counted(server) == (times or 0)


def test_requests_of_every_kind(
    serve: Serve, family: ModelFamily, warmed: Callable[..., Path]
) -> None:
    source = warmed(family.half_plus_two, mixed(10))
    server = serve(Setup(entry("default"), {("default", 1): source}))
    assert server.available("default") == {1}


def unknown_input() -> Any:
    """A request that the counter model refuses."""
    request = messages.predict(spec("counter", "incr_counter"), {"nothing": messages.floats(1.0)})
    return Log(predict_log=prediction_log_pb2.PredictLog(request=request))


FAILING: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a kind that no request has": (
        lambda: [session_run()] * 10,
        "UNIMPLEMENTED",
        "Unsupported log_type for warmup",
    ),
    "protocol buffers without TFRecord": (
        lambda: session_run().SerializeToString() * 10,
        "DATA_LOSS",
        "Please verify your warmup data is in TFRecord format",
    ),
    "too many": (
        lambda: count(MOST + 1),
        "INVALID_ARGUMENT",
        "Number of warmup records exce",
    ),
    "no protocol buffer": (
        lambda: [b"malformed_record"] * 10,
        "INVALID_ARGUMENT",
        "Failed to parse warmup record",
    ),
    "a request that the model refuses": (
        lambda: [unknown_input()],
        "INVALID_ARGUMENT",
        "input",
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_version_whose_warm_up_fails_is_not_served_and_says_why(
    serve: Serve, family: ModelFamily, warmed: Callable[..., Path], case: str
) -> None:
    make, code, words = FAILING[case]
    server = serve(Setup(entry("counter"), {("counter", 1): family.counter}))
    server.push(warmed(family.counter, make()), "counter", 2)
    server.until(lambda: server.states("counter").get(2) == "END", lambda: server.states("counter"))
    request = messages.status(spec("counter", version=2))
    (status,) = server.model_service.GetModelStatus(request, timeout=SECONDS).model_version_status
    assert Code(status.status.error_code).name == code
    assert words in status.status.error_message
    assert counted(server) == 0.0, "the version before answers on"
    assert server.available("counter") == {1}
