"""A server as its clients see it, by gRPC and REST."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.serving.conftest import ModelFamily
from tests.serving.contract import messages
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.messages import SECONDS, example, spec
from tests.serving.contract.predicts import assert_predicts
from tests.serving.contract.setups import BATCHING, entry, half_plus_two

pytestmark = pytest.mark.contract("model_servers/tensorflow_model_server_test.py")

MODELS = ("default", "tf2")


def test_status(server: Running) -> None:
    answer = server.model_service.GetModelStatus(messages.status(spec("default")), timeout=SECONDS)
    (only,) = answer.model_version_status
    assert (only.version, only.status.error_code, only.status.error_message) == (123, 0, "")


def test_metadata(server: Running) -> None:
    request = messages.metadata(spec("default"), "signature_def")
    answer = server.prediction.GetModelMetadata(request, timeout=SECONDS)
    assert answer.model_spec == spec("default", version=123)
    assert list(answer.metadata) == ["signature_def"]


@pytest.mark.parametrize("model", MODELS)
def test_classify(server: Running, model: str) -> None:
    request = messages.classify(spec(model, "classify_x_to_y"), example(x=2.0))
    answer = server.prediction.Classify(request, timeout=SECONDS)
    ((only,),) = [list(c.classes) for c in answer.result.classifications]
    assert (only.label, only.score) == ("", 3.0)
    assert answer.model_spec == spec(model, "classify_x_to_y", 123)


@pytest.mark.parametrize("model", MODELS)
def test_regress(server: Running, model: str) -> None:
    request = messages.regress(spec(model, "regress_x_to_y"), example(x=2.0))
    answer = server.prediction.Regress(request, timeout=SECONDS)
    assert [r.value for r in answer.result.regressions] == [3.0]
    assert answer.model_spec == spec(model, "regress_x_to_y", 123)


@pytest.mark.parametrize("model", MODELS)
def test_multi_inference(server: Running, model: str) -> None:
    tasks = [
        (spec(model, "regress_x_to_y"), "regress"),
        (spec(model, "classify_x_to_y"), "classify"),
    ]
    request = messages.multi_inference(tasks, example(x=2.0))
    first, second = server.prediction.MultiInference(request, timeout=SECONDS).results
    assert [r.value for r in first.regression_result.regressions] == [3.0]
    assert [c.classes[0].score for c in second.classification_result.classifications] == [3.0]
    assert first.model_spec == spec(model, "regress_x_to_y", 123)
    assert second.model_spec == spec(model, "classify_x_to_y", 123)


@pytest.mark.parametrize("outputs", [("y",), ()], ids=["output named", "all outputs"])
def test_predict(server: Running, outputs: tuple[str, ...]) -> None:
    assert_predicts(server, "default", 3.0, outputs=outputs)


@pytest.mark.parametrize("outputs", [("y",), ()], ids=["output named", "all outputs"])
def test_predict_with_batching(
    serve: Callable[[Setup], Running], family: ModelFamily, outputs: tuple[str, ...]
) -> None:
    server = serve(half_plus_two(family, batching=BATCHING))
    assert_predicts(server, "default", 3.0, outputs=outputs)


@pytest.mark.parametrize("outputs", [("y",), ()], ids=["output named", "all outputs"])
@pytest.mark.parametrize(("model", "expected"), [("half_plus_two", 3.0), ("half_plus_three", 4.0)])
def test_several_models_of_a_config_file(
    server: Running, model: str, expected: float, outputs: tuple[str, ...]
) -> None:
    assert_predicts(server, model, expected, outputs=outputs)


def test_a_config_file_that_cannot_be_parsed(refuses_config: Callable[[str], str]) -> None:
    assert "ModelServerConfig" in refuses_config("improperly formatted file")


def test_a_config_file_that_changes(serve: Callable[[Setup], Running], family: ModelFamily) -> None:
    server = serve(
        Setup(
            entry("half_plus_two"),
            {
                ("half_plus_two", 123): family.half_plus_two,
                ("half_plus_three", 123): family.half_plus_three,
            },
            reads_config_again=True,
        )
    )
    assert_predicts(server, "half_plus_two", 3.0)
    server.write_config(entry("half_plus_three"))
    server.wait_for("half_plus_three", 123)
    assert_predicts(server, "half_plus_three", 4.0)


def test_a_config_file_that_changes_and_is_not_read_again(
    serve: Callable[[Setup], Running], family: ModelFamily
) -> None:
    server = serve(
        Setup(
            entry("half_plus_two"),
            {
                ("half_plus_two", 123): family.half_plus_two,
                ("half_plus_three", 123): family.half_plus_three,
            },
        )
    )
    server.write_config(entry("half_plus_three"))
    server.after_polls()
    assert server.states("half_plus_three") == {}
    assert_predicts(server, "half_plus_two", 3.0)


REST: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "classify": (
        "classify",
        {"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}]},
        {"results": [[["", 3.0]]]},
    ),
    "regress": (
        "regress",
        {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]},
        {"results": [3.0]},
    ),
    "predict rows": (
        "predict",
        {"instances": [2.0, 3.0, 4.0]},
        {"predictions": [3.0, 3.5, 4.0]},
    ),
    "predict columns": ("predict", {"inputs": [2.0, 3.0, 4.0]}, {"outputs": [3.0, 3.5, 4.0]}),
}


@pytest.mark.parametrize("case", REST)
def test_rest(server: Running, case: str) -> None:
    verb, sent, expected = REST[case]
    status, _, body = server.rest("POST", f"/v1/models/default:{verb}", sent)
    assert (status, json.loads(body)) == (200, expected)


def test_status_by_rest(server: Running) -> None:
    status, _, body = server.rest("GET", "/v1/models/default")
    assert status == 200
    assert json.loads(body) == {
        "model_version_status": [
            {
                "version": "123",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def column(tensor: str) -> dict[str, Any]:
    """A float tensor [batch, 1] in metadata."""
    dimensions = [{"size": "-1", "name": ""}, {"size": "1", "name": ""}]
    shape = {"dim": dimensions, "unknown_rank": False}
    return {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": f"{tensor}:0"}


def test_metadata_by_rest(server: Running) -> None:
    status, _, body = server.rest("GET", "/v1/models/default/metadata")
    assert status == 200
    answer = json.loads(body)
    assert answer["model_spec"] == {"name": "default", "signature_name": "", "version": "123"}
    serialized = {
        "dtype": "DT_STRING",
        "tensor_shape": {"dim": [], "unknown_rank": True},
        "name": "tf_example:0",
    }
    signatures = {
        "serving_default": ("predict", {"x": column("x")}, {"y": column("y")}),
        "regress_x_to_y": ("regress", {"inputs": serialized}, {"outputs": column("y")}),
        "regress_x_to_y2": ("regress", {"inputs": serialized}, {"outputs": column("y2")}),
        "regress_x2_to_y3": ("regress", {"inputs": column("x2")}, {"outputs": column("y3")}),
        "classify_x_to_y": ("classify", {"inputs": serialized}, {"scores": column("y")}),
        "classify_x2_to_y3": ("classify", {"inputs": column("x2")}, {"scores": column("y3")}),
    }
    found = answer["metadata"]["signature_def"]["signature_def"]
    # What initialises the model is stored among the signatures, but is none.
    found.pop("__saved_model_init_op", None)
    # Protocol buffers grow fields; `defaults` came in 2023, and prints where the printer knows it.
    assert {n: {k: v for k, v in s.items() if k != "defaults"} for n, s in found.items()} == {
        name: {
            "inputs": inputs,
            "outputs": outputs,
            "method_name": f"tensorflow/serving/{method}",
        }
        for name, (method, inputs, outputs) in signatures.items()
    }


def test_metrics_for_prometheus(server: Running) -> None:
    status, _, body = server.rest("GET", "/monitoring/prometheus/metrics")
    assert status == 200
    assert b"# TYPE" in body
