"""Requests that no good client sends, each with the status that it must get."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.config import model_server_config_pb2

from tests.serving.contract.messages import (
    classify,
    example,
    floats,
    metadata,
    multi_inference,
    predict,
    regress,
    spec,
    status,
)

PREDICT, MODEL = "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"
X = {"x": floats(2.0, shape=(1, 1))}
ASKED = spec("default")


def tensor(dtype: int = types_pb2.DT_FLOAT, shape: tuple[int, ...] = (1, 1), **fields: Any) -> Any:
    proto = tensor_pb2.TensorProto(dtype=dtype, **fields)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def fed(**fields: Any) -> Any:
    """A prediction of a tensor made of `fields`."""
    return predict(ASKED, {"x": tensor(**fields)})


def reload(text: str) -> Any:
    """A request to serve other models."""
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    return model_management_pb2.ReloadConfigRequest(config=config)


def at(path: str) -> Any:
    """A request to serve the folder `path`."""
    return reload(
        'model_config_list { config { name: "m" model_platform: "tensorflow" '
        f'base_path: "{path}" }} }}'
    )


def bytes_for_float() -> Any:
    return classify(spec("default", "classify_x_to_y"), example(x=b"two"))


# Service, method, request (bytes go out as they are), status and a word of the message.
REQUESTS: dict[str, tuple[str, str, Any, str, str]] = {
    "a method that does not exist": (PREDICT, "Train", b"", "UNIMPLEMENTED", ""),
    "a service that does not exist": ("elman.Shell", "Run", b"ls", "UNIMPLEMENTED", ""),
    "a path for a method": (PREDICT, "../../etc/passwd", b"", "UNIMPLEMENTED", ""),
    "bytes that are no message": (PREDICT, "Predict", b"\xff" * 40, "INVALID_ARGUMENT", "kind"),
    "a message cut off": (PREDICT, "Predict", b"\x0a\x50de", "INVALID_ARGUMENT", "kind"),
    "text that is not UTF-8": (
        PREDICT,
        "Predict",
        b"\x0a\x04\x0a\x02\xc3\x28",
        "INVALID_ARGUMENT",
        "kind",
    ),
    "ten thousand groups in each other": (
        PREDICT,
        "Predict",
        b"\x0b" * 10_000,
        "INVALID_ARGUMENT",
        "kind",
    ),
    "nothing to Predict": (PREDICT, "Predict", b"", "INVALID_ARGUMENT", "ModelSpec"),
    "nothing to Classify": (PREDICT, "Classify", b"", "INVALID_ARGUMENT", "ModelSpec"),
    "nothing to Regress": (PREDICT, "Regress", b"", "INVALID_ARGUMENT", "ModelSpec"),
    "nothing to MultiInference": (PREDICT, "MultiInference", b"", "INVALID_ARGUMENT", "task"),
    "nothing to GetModelMetadata": (PREDICT, "GetModelMetadata", b"", "INVALID_ARGUMENT", "Model"),
    "nothing to GetModelStatus": (MODEL, "GetModelStatus", b"", "INVALID_ARGUMENT", "ModelSpec"),
    "nothing to HandleReloadConfigRequest": (
        MODEL,
        "HandleReloadConfigRequest",
        b"",
        "INVALID_ARGUMENT",
        "ModelConfigList",
    ),
    "a model without a name": (
        PREDICT,
        "Predict",
        predict(spec(""), X),
        "INVALID_ARGUMENT",
        "name",
    ),
    "a path for a model": (
        PREDICT,
        "Predict",
        predict(spec("../../../../etc/passwd"), X),
        "NOT_FOUND",
        "Servable not found",
    ),
    "a model with a name of a million letters": (
        PREDICT,
        "Predict",
        predict(spec("é" * 1_000_000), X),
        "NOT_FOUND",
        "...)",
    ),
    "control characters for a model": (
        PREDICT,
        "Predict",
        predict(spec("a\0b\r\nset-cookie: x"), X),
        "NOT_FOUND",
        "Servable",
    ),
    "a version below 0": (
        PREDICT,
        "Predict",
        predict(spec("default", version=-1), X),
        "NOT_FOUND",
        "-1",
    ),
    "the largest version": (
        PREDICT,
        "Predict",
        predict(spec("default", version=2**63 - 1), X),
        "NOT_FOUND",
        "9223372036854775807",
    ),
    "a path for a label": (
        PREDICT,
        "Predict",
        predict(spec("default", label="../123"), X),
        "INVALID_ARGUMENT",
        "../123",
    ),
    "a signature that does not exist": (
        PREDICT,
        "Predict",
        predict(spec("default", "drop"), X),
        "FAILED_PRECONDITION",
        "drop",
    ),
    "the operation that initialises the model": (
        PREDICT,
        "Predict",
        predict(spec("default", "__saved_model_init_op"), {}),
        "FAILED_PRECONDITION",
        "__saved_model_init_op",
    ),
    "a thousand inputs": (
        PREDICT,
        "Predict",
        predict(ASKED, {f"x{i}": floats(1.0) for i in range(1000)}),
        "INVALID_ARGUMENT",
        "x0",
    ),
    "an input by the name of a tensor in the graph": (
        PREDICT,
        "Predict",
        predict(ASKED, {"a/Read/ReadVariableOp:0": floats(1.0)}),
        "INVALID_ARGUMENT",
        "a/Read",
    ),
    "an output by the name of a tensor in the graph": (
        PREDICT,
        "Predict",
        predict(ASKED, X, "b/Read/ReadVariableOp:0"),
        "INVALID_ARGUMENT",
        "b/Read",
    ),
    "a tensor of strings for one of floats": (
        PREDICT,
        "Predict",
        predict(ASKED, {"x": tf.make_tensor_proto([[b"2"]])}),
        "INVALID_ARGUMENT",
        "x",
    ),
    "a tensor of no dtype": (PREDICT, "Predict", fed(dtype=0), "INVALID_ARGUMENT", "x: dtype"),
    "a handle to a resource": (
        PREDICT,
        "Predict",
        fed(dtype=types_pb2.DT_RESOURCE),
        "INVALID_ARGUMENT",
        "DT_RESOURCE",
    ),
    "a variant": (
        PREDICT,
        "Predict",
        fed(dtype=types_pb2.DT_VARIANT),
        "INVALID_ARGUMENT",
        "DT_VAR",
    ),
    "a negative dimension": (
        PREDICT,
        "Predict",
        fed(shape=(-1, 1), float_val=[1.0]),
        "INVALID_ARGUMENT",
        "x: shape [-1,1]",
    ),
    "four exabytes by one value": (
        PREDICT,
        "Predict",
        fed(shape=(2**30, 2**30), float_val=[1.0]),
        "INVALID_ARGUMENT",
        "at most",
    ),
    "a shape that overflows": (
        PREDICT,
        "Predict",
        fed(shape=(2**62, 2**62, 16), float_val=[1.0]),
        "INVALID_ARGUMENT",
        "at most",
    ),
    "more content than the shape": (
        PREDICT,
        "Predict",
        fed(tensor_content=b"12345678"),
        "INVALID_ARGUMENT",
        "tensor_content has 8",
    ),
    "a value too many": (PREDICT, "Predict", fed(float_val=[1, 2]), "INVALID_ARGUMENT", "has 2"),
    "three dimensions for one": (
        PREDICT,
        "Predict",
        predict(spec("tf2"), {"x": floats(1.0, 2.0, shape=(1, 1, 2))}),
        "INVALID_ARGUMENT",
        "x",
    ),
    "no example to classify": (
        PREDICT,
        "Classify",
        classify(spec("default", "classify_x_to_y")),
        "INVALID_ARGUMENT",
        "Input is empty",
    ),
    "an example without its feature": (
        PREDICT,
        "Regress",
        regress(spec("default", "regress_x_to_y"), example(y=1.0)),
        "INVALID_ARGUMENT",
        "x",
    ),
    "an example with bytes for a float": (
        PREDICT,
        "Classify",
        bytes_for_float(),
        "INVALID_ARGUMENT",
        "x",
    ),
    "a classification by a signature for tensors": (
        PREDICT,
        "Classify",
        classify(spec("default"), example(x=2.0)),
        "INVALID_ARGUMENT",
        "inputs",
    ),
    "a task without a model": (
        PREDICT,
        "MultiInference",
        multi_inference([(spec(""), "regress")], example(x=2.0)),
        "INVALID_ARGUMENT",
        "name",
    ),
    "a task by no method": (
        PREDICT,
        "MultiInference",
        multi_inference([(spec("default", "regress_x_to_y"), "../train")], example(x=2.0)),
        "UNIMPLEMENTED",
        "",
    ),
    "metadata that there is not": (
        PREDICT,
        "GetModelMetadata",
        metadata(ASKED, "signature_def", "/etc/passwd"),
        "INVALID_ARGUMENT",
        "/etc/passwd",
    ),
    "the status of a model that does not exist": (
        MODEL,
        "GetModelStatus",
        status(spec("..")),
        "NOT_FOUND",
        "..",
    ),
    "to serve the whole disk": (
        MODEL,
        "HandleReloadConfigRequest",
        at("/"),
        "PERMISSION_DENIED",
        "outside",
    ),
    "to serve a folder by way of its parent": (
        MODEL,
        "HandleReloadConfigRequest",
        at("{root}/default/../../secret"),
        "PERMISSION_DENIED",
        "outside",
    ),
    "to serve a folder that a link leads out to": (
        MODEL,
        "HandleReloadConfigRequest",
        at("{root}/way-out"),
        "PERMISSION_DENIED",
        "outside",
    ),
    "to serve a folder with a name that no folder has": (
        MODEL,
        "HandleReloadConfigRequest",
        at("{root}/a\\000b"),
        "PERMISSION_DENIED",
        "outside",
    ),
    "to serve from another computer": (
        MODEL,
        "HandleReloadConfigRequest",
        at("gs://bucket/model"),
        "INVALID_ARGUMENT",
        "absolute",
    ),
    "to serve plug-ins": (
        MODEL,
        "HandleReloadConfigRequest",
        reload("custom_model_config {}"),
        "INVALID_ARGUMENT",
        "ModelConfigList",
    ),
}
