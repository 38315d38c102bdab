"""Requests that TensorFlow Serving runs before it calls a new version ready."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.errors import FailedRunError

FILE = "tf_serving_warmup_requests"
Requests = dict[str, dict[str, np.ndarray[Any, Any]]]
"""By signature, its inputs by name."""


def window_requests(described: Mapping[str, Any]) -> Requests:
    """One request of one window for each signature of a forecaster.

    The values are zeros: a first call costs its time in initialising the graph, whatever it is
    called with.

    Args:
        described: The model's metadata.
    """
    zeros = {
        name: _zeros(described["input_shapes"][column], described["input_types"][column])
        for column, name in described["inputs"].items()
    }
    example = serialized_example({name: value[0] for name, value in zeros.items()})
    row = np.zeros(1, np.int32)
    requests: Requests = {
        "serving_default": zeros,
        "serve_examples": {"examples": np.array([example], object)},
        "describe": {"rows": row},
    }
    streaming = described["streaming"]
    if streaming is not None:
        step = {
            described["inputs"][column]: _zeros(shape, described["input_types"][column])
            for column, shape in streaming["inputs"].items()
        }
        state = {name: _zeros(shape, "float32") for name, shape in streaming["state"].items()}
        requests |= {"stream_init": {"batch": row}, "stream_step": step | state}
    return requests


def write_warmup(folder: Path, requests: Requests) -> None:
    """Writes requests as a TFRecord of PredictionLog.

    Args:
        folder: The model's `assets.extra`.
        requests: One for each signature.

    Raises:
        FailedRunError: If the stubs of TensorFlow Serving are not installed.
    """
    try:
        from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2
    except ImportError as error:
        raise FailedRunError(
            f"cannot write warm-up requests: {error}; install tensorflow-serving-api, which "
            "comes with tfx"
        ) from error
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        for signature, inputs in requests.items():
            request = predict_pb2.PredictRequest(
                model_spec=model_pb2.ModelSpec(signature_name=signature),
                inputs={k: tf.make_tensor_proto(v) for k, v in inputs.items()},
            )
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def serialized_example(window: Mapping[str, Any]) -> bytes:
    """One window, values by tensor name, as a serialized tf.Example for `serve_examples`."""
    features = {}
    for name, value in window.items():
        flat = np.atleast_1d(value)
        if flat.dtype.kind in "OUS":
            words = [w if isinstance(w, bytes) else str(w).encode() for w in flat]
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=words))
        elif flat.dtype.kind in "iu":
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=flat))
        else:
            feature = tf.train.Feature(float_list=tf.train.FloatList(value=flat))
        features[name] = feature
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def _zeros(shape: list[int], dtype: str) -> np.ndarray[Any, Any]:
    if dtype == "string":
        return np.full((1, *shape), b"", dtype=object)
    return np.zeros((1, *shape), dtype)
