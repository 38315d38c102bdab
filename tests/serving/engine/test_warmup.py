"""Requests that a version brings along: the cases of TF Serving's reader of them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.engine.warmup import FILE, MOST, replay
from serving.status import Code, ServingError
from tests.serving.contract.half_plus_two import write_warmup

SOURCE = "servables/tensorflow/saved_model_warmup_util_test.cc"
contract = pytest.mark.contract(SOURCE)


def log(signature: str = "serving_default") -> Any:
    found = prediction_log_pb2.PredictionLog()
    found.predict_log.request.model_spec.signature_name = signature
    return found


def write_records(folder: Path, records: list[bytes]) -> None:
    (folder / FILE).parent.mkdir()
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        for record in records:
            writer.write(record)


def refused(folder: Path) -> ServingError:
    with pytest.raises(ServingError) as caught:
        replay(folder, lambda _: None)
    assert str(folder) not in caught.value.message
    return caught.value


@contract
@pytest.mark.parametrize("extra", [False, True], ids=["no folder", "empty folder"])
def test_no_warmup_data_file(tmp_path: Path, extra: bool) -> None:
    if extra:
        (tmp_path / FILE).parent.mkdir()
    heard: list[Any] = []
    assert replay(tmp_path, heard.append) == 0
    assert heard == []


@contract
def test_warmup_data_file_empty(tmp_path: Path) -> None:
    write_records(tmp_path, [])
    heard: list[Any] = []
    assert replay(tmp_path, heard.append) == 0
    assert heard == []


@contract
def test_unsupported_file_format(tmp_path: Path) -> None:
    """Serialized logs with nothing around them."""
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_bytes(log("x" * 40).SerializeToString() * 10)
    error = refused(tmp_path)
    assert error.code is Code.DATA_LOSS
    assert "Please verify your warmup data is in TFRecord format" in error.message


@contract
def test_too_many_warmup_records(tmp_path: Path) -> None:
    write_warmup(tmp_path, [log()] * (MOST + 1))
    error = refused(tmp_path)
    assert error.code is Code.INVALID_ARGUMENT
    assert "Number of warmup records exceeds the maximum" in error.message


@contract
def test_unparsable_record(tmp_path: Path) -> None:
    write_records(tmp_path, [b"malformed_record"] * 10)
    error = refused(tmp_path)
    assert error.code is Code.INVALID_ARGUMENT
    assert "Failed to parse warmup record" in error.message


@contract
def test_run_failure(tmp_path: Path) -> None:
    write_warmup(tmp_path, [log()] * 10)

    def run(_: Any) -> None:
        raise ServingError(Code.INVALID_ARGUMENT, "Run failed")

    with pytest.raises(ServingError, match="Run failed"):
        replay(tmp_path, run)


def test_as_many_records_as_are_allowed(tmp_path: Path) -> None:
    write_warmup(tmp_path, [log()] * MOST)
    heard: list[Any] = []
    assert replay(tmp_path, heard.append) == len(heard) == MOST


@pytest.mark.parametrize("iterations", [1, 2])
def test_each_is_run_so_often_in_order(tmp_path: Path, iterations: int) -> None:
    logs = [log("a"), log("b")]
    write_warmup(tmp_path, logs)
    heard: list[Any] = []
    assert replay(tmp_path, heard.append, iterations=iterations) == 2
    assert heard == [each for each in logs for _ in range(iterations)]


@pytest.mark.parametrize("at", [1, 11, 20])
def test_a_file_that_was_changed_is_no_tfrecord(tmp_path: Path, at: int) -> None:
    path = write_warmup(tmp_path, [log("some signature")])
    content = path.read_bytes()
    path.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
    assert refused(tmp_path).code is Code.DATA_LOSS


def test_a_file_that_was_cut_off_is_no_tfrecord(tmp_path: Path) -> None:
    path = write_warmup(tmp_path, [log("some signature")])
    path.write_bytes(path.read_bytes()[:20])
    assert refused(tmp_path).code is Code.DATA_LOSS


def test_a_record_of_absurd_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_bytes(struct.pack("<Q", 2**62) + b"\0" * 100)
    assert refused(tmp_path).code is Code.DATA_LOSS
