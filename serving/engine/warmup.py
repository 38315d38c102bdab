"""`replay`: the requests that a model brings along, to be answered before any others.

After tensorflow/serving, servables/tensorflow/saved_model_warmup.cc and saved_model_warmup_util.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from serving.engine.failure import failure
from serving.status import Code, ServingError

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MOST = 1000
"""Records that a file may have."""


def replay(folder: Path, run: Callable[[Any], None], *, iterations: int = 1) -> int:
    """Runs the warm-up requests of a version, if it has any; returns how many.

    They are in `assets.extra/tf_serving_warmup_requests`, a TFRecord of PredictionLog.

    Args:
        folder: Of the version.
        run: Answers a PredictionLog.
        iterations: How often each is run.

    Raises:
        ServingError: DATA_LOSS if the file is no TFRecord; INVALID_ARGUMENT if a record is no
            PredictionLog, or there are more than `MOST`; and whatever `run` raises.
    """
    from tensorflow_serving.apis import prediction_log_pb2

    count = 0
    for record in _records(folder / FILE):
        count += 1
        if count > MOST:
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"Number of warmup records exceeds the maximum ({MOST}) at {FILE}",
            )
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except DecodeError as error:
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"Failed to parse warmup record: {record[:40]!r} (record {count} of {FILE})",
            ) from error
        for _ in range(iterations):
            run(log)
    return count


def _records(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        return
    try:
        for record in tf.data.TFRecordDataset(str(path)):
            yield record.numpy()
    except tf.errors.DataLossError as error:
        message = failure(error, hide=[path.parent.parent]).message
        raise ServingError(
            Code.DATA_LOSS, f"{message}. Please verify your warmup data is in TFRecord format."
        ) from error
