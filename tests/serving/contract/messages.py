"""Requests, written short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)

SECONDS = 30.0
"""Deadline of a request in tests: only there so that a test fails instead of hanging."""


def spec(
    name: str, signature: str = "", version: int | None = None, label: str | None = None
) -> Any:
    proto = model_pb2.ModelSpec(name=name, signature_name=signature)
    if version is not None:
        proto.version.value = version
    if label is not None:
        proto.version_label = label
    return proto


def floats(*values: float, shape: Sequence[int] | None = None) -> Any:
    """A float tensor: of `shape`, or else one-dimensional."""
    array = np.asarray(values, np.float32)
    return tf.make_tensor_proto(array if shape is None else array.reshape(shape))


def predict(model: Any, inputs: Mapping[str, Any], *outputs: str) -> Any:
    return predict_pb2.PredictRequest(model_spec=model, inputs=inputs, output_filter=outputs)


def example(**features: float | bytes) -> tf.train.Example:
    proto = tf.train.Example()
    for name, value in features.items():
        feature = proto.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        else:
            feature.float_list.value.append(value)
    return proto


def _fill(proto: Any, examples: Sequence[tf.train.Example]) -> Any:
    proto.input.example_list.examples.extend(examples)
    return proto


def classify(model: Any, *examples: tf.train.Example) -> Any:
    return _fill(classification_pb2.ClassificationRequest(model_spec=model), examples)


def regress(model: Any, *examples: tf.train.Example) -> Any:
    return _fill(regression_pb2.RegressionRequest(model_spec=model), examples)


def multi_inference(tasks: Sequence[tuple[Any, str]], *examples: tf.train.Example) -> Any:
    request = inference_pb2.MultiInferenceRequest()
    for model, method in tasks:
        request.tasks.add(model_spec=model, method_name=f"tensorflow/serving/{method}")
    return _fill(request, examples)


def metadata(model: Any, *fields: str) -> Any:
    return get_model_metadata_pb2.GetModelMetadataRequest(model_spec=model, metadata_field=fields)


def status(model: Any) -> Any:
    return get_model_status_pb2.GetModelStatusRequest(model_spec=model)


def reload_config(config: Any) -> Any:
    return model_management_pb2.ReloadConfigRequest(config=config)


def refused(method: Any, request: Any) -> tuple[str, str]:
    """The code and message of a request that has to fail."""
    try:
        answer = method(request, timeout=SECONDS)
    except grpc.RpcError as error:
        return error.code().name, error.details()
    raise AssertionError(f"the request was answered: {answer}")
