"""PredictionService.Predict: names, dtypes, output filters, signatures."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from tests.serving.contract import messages
from tests.serving.contract.engines import Running
from tests.serving.contract.messages import SECONDS, floats, predict, refused, spec

IMPLEMENTATION = "servables/tensorflow/predict_impl_test.cc"
UTILITY = "servables/tensorflow/predict_util_test.cc"

ASKED = spec("default", version=123)
X = {"x": floats(2.0, shape=())}
STRING = tf.make_tensor_proto([b"any_key"])
REFUSED: dict[str, tuple[Any, str]] = {
    "no model_spec": (predict(None, X), "INVALID_ARGUMENT"),
    "no model": (predict(spec(""), X), "INVALID_ARGUMENT"),
    "a model that does not exist": (predict(spec("test"), X), "NOT_FOUND"),
    "no input": (predict(ASKED, {}), "INVALID_ARGUMENT"),
    "another input": (predict(ASKED, {"key": STRING}), "INVALID_ARGUMENT"),
    "an output that does not exist": (predict(ASKED, X, "output_filter"), "INVALID_ARGUMENT"),
    "an output named twice": (predict(ASKED, X, "y", "y"), "INVALID_ARGUMENT"),
    "an input of another dtype": (predict(ASKED, {"x": STRING}, "y"), "INVALID_ARGUMENT"),
    "a model without that signature": (predict(spec("no_default"), X), "FAILED_PRECONDITION"),
}


@pytest.mark.contract(IMPLEMENTATION)
@pytest.mark.parametrize("case", REFUSED)
def test_refused(server: Running, case: str) -> None:
    request, expected = REFUSED[case]
    code, _ = refused(server.prediction.Predict, request)
    assert code == expected


ANSWERED: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "the default signature": ("", "x", (), "y"),
    "an output by name": ("", "x", ("y",), "y"),
    "a signature of a regression": ("regress_x2_to_y3", "inputs", (), "outputs"),
    "a signature of a classification": ("classify_x2_to_y3", "inputs", (), "scores"),
}


@pytest.mark.contract(IMPLEMENTATION)
@pytest.mark.parametrize("case", ANSWERED)
def test_answered(server: Running, case: str) -> None:
    signature, name, outputs, given = ANSWERED[case]
    request = predict(spec("default", signature, 123), {name: floats(2.0, shape=())}, *outputs)
    answer = server.prediction.Predict(request, timeout=SECONDS)
    assert answer.model_spec == spec("default", signature or "serving_default", 123)
    value = 4.0 if signature else 3.0
    assert dict(answer.outputs) == {given: scalar(value)}


def scalar(value: float) -> Any:
    """A float without dimensions, its value in `float_val`."""
    return tf.make_tensor_proto(value, tf.float32)


@pytest.mark.contract(IMPLEMENTATION)
def test_a_model_with_state_and_signatures_of_its_own(server: Running) -> None:
    def call(signature: str, inputs: dict[str, Any], *outputs: str) -> Any:
        request = predict(spec("counter", signature, 123), inputs, *outputs)
        answer = server.prediction.Predict(request, timeout=SECONDS)
        assert answer.model_spec == request.model_spec
        return dict(answer.outputs)

    call("reset_counter", {})
    assert call("get_counter", {}) == {"output": scalar(0.0)}
    assert call("incr_counter", {}) == {"output": scalar(1.0)}
    assert call("reset_counter", {}) == {"output": scalar(0.0)}
    assert call("incr_counter", {}, "output") == {"output": scalar(1.0)}
    delta = {"delta": floats(3.0, shape=())}
    assert call("incr_counter_by", delta) == {"output": scalar(4.0)}


def boolean() -> Any:
    return tf.make_tensor_proto(True)


# What the messages have to say, whatever else they say.
TOLD: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "inputs missing and too many": (
        predict(ASKED, {"unknown_key1": STRING, "unknown_key2": STRING}),
        "INVALID_ARGUMENT",
        ("Sent extra: {unknown_key1,unknown_key2}", "Missing but required: {x}"),
    ),
    "another input": (
        predict(ASKED, {"key": STRING}),
        "INVALID_ARGUMENT",
        ("input tensor alias not found in signature: key",),
    ),
    "a bool for a float": (
        predict(ASKED, {"x": boolean()}),
        "INVALID_ARGUMENT",
        ("float", "bool"),
    ),
    "a string for a float": (
        predict(ASKED, {"x": STRING}),
        "INVALID_ARGUMENT",
        ("float", "string"),
    ),
    "an output that does not exist": (
        predict(ASKED, X, "output_filter"),
        "INVALID_ARGUMENT",
        ("output tensor alias not found in signature: output_filter",),
    ),
    "an output named twice": (
        predict(ASKED, X, "y", "y"),
        "INVALID_ARGUMENT",
        ("duplicate output tensor alias: y",),
    ),
    "a signature that does not exist": (
        predict(spec("default", "nothing"), X),
        "FAILED_PRECONDITION",
        ('Serving signature key "nothing" not found.',),
    ),
}


@pytest.mark.contract(UTILITY)
@pytest.mark.parametrize("case", TOLD)
def test_messages(server: Running, case: str) -> None:
    request, expected, words = TOLD[case]
    code, message = refused(server.prediction.Predict, request)
    assert code == expected
    for word in words:
        assert word.lower() in message.lower()


@pytest.mark.contract(UTILITY)
def test_a_batch(server: Running) -> None:
    request = predict(ASKED, {"x": floats(2.0, 4.0, 6.0, shape=(3, 1))})
    answer = server.prediction.Predict(request, timeout=SECONDS)
    output = answer.outputs["y"]
    assert output.dtype == types_pb2.DT_FLOAT
    assert [d.size for d in output.tensor_shape.dim] == [3, 1]
    assert list(output.float_val) == [3.0, 4.0, 5.0]
    assert tf.make_ndarray(output).tolist() == [[3.0], [4.0], [5.0]]


@pytest.mark.contract(UTILITY)
def test_predict_needs_no_particular_method(server: Running) -> None:
    """The method check is off, as `tensorflow_model_server` has it."""
    examples = tf.make_tensor_proto([messages.example(x=2.0).SerializeToString()])
    request = predict(spec("default", "regress_x_to_y"), {"inputs": examples})
    answer = server.prediction.Predict(request, timeout=SECONDS)
    assert list(answer.outputs["outputs"].float_val) == [3.0]
