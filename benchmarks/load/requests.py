"""Requests as bytes, made once before the clock starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write(folder: Path, model: str, feed: Mapping[str, Any]) -> dict[str, list[Path]]:
    """Writes one request for each window of `feed`, by protocol: a PredictRequest, a JSON body."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, list[Path]] = {"grpc": [], "rest": []}
    for i in range(len(next(iter(feed.values())))):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        for name, value in feed.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value[i : i + 1]))
        body = json.dumps({"instances": [{name: v[i].tolist() for name, v in feed.items()}]})
        for protocol, data in (("grpc", request.SerializeToString()), ("rest", body.encode())):
            file = folder / f"{i}.{protocol}"
            file.write_bytes(data)
            files[protocol].append(file)
    return files
