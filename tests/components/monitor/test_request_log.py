"""Logged requests, written as TF Serving writes them, and skew found in them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tfx.types  # noqa: F401 (before TFDV, which this build asks for)
from tensorflow_serving.apis import prediction_log_pb2

from components.monitor.config import SkewConfig
from components.monitor.request_log import log_files, log_fingerprint, read_requests
from tests.components.monitor.rows import HOUR, distributions, piece, profile_of, static_roles

LOOKBACK = 48
METADATA = {
    "spec": {"lookback": LOOKBACK, "horizon": 4},
    "inputs": {"y": "y_tensor", "kind": "kind", "time": "time"},
}
HOURS = np.arange(100 * 24)


def wave(hours: np.ndarray, seed: int = 0) -> np.ndarray:
    return 10 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(seed).normal(size=len(hours))


@pytest.fixture(scope="module")
def training() -> Any:
    roles = static_roles("kind")
    pieces = [piece(0, wave(HOURS, i), b"%d" % i, kind="ab"[i]) for i in range(2)]
    return distributions(profile_of(*pieces, roles=roles))


def request(windows: np.ndarray, kinds: list[str], origins: Any, signature: str = "") -> Any:
    log = prediction_log_pb2.PredictionLog()
    made = log.predict_log.request
    made.model_spec.name, made.model_spec.signature_name = "m", signature
    made.inputs["y_tensor"].CopyFrom(tf.make_tensor_proto(windows, tf.float32))
    made.inputs["kind"].CopyFrom(tf.make_tensor_proto(kinds, tf.string))
    made.inputs["time"].CopyFrom(tf.make_tensor_proto(origins, tf.int64))
    return log


def requests(count: int, shift: float = 0.0) -> list[Any]:
    """Requests of two series at times after training, a day apart."""
    made = []
    for i in range(count):
        hours = np.arange(LOOKBACK) + len(HOURS) + 24 * i
        windows = np.stack([wave(hours, 50 + i), wave(hours, 90 + i)]) + shift
        made.append(request(windows, ["a", "b"], [int(hours[-1]) * HOUR] * 2))
    return made


def write(path: Path, logs: list[Any]) -> Path:
    with tf.io.TFRecordWriter(str(path)) as file:
        for log in logs:
            file.write(log.SerializeToString())
    return path


def skew(training: Any, place: Path, **changes: Any) -> Any:
    return training.check_skew(
        str(place), METADATA, SkewConfig(**changes), least=30, last=len(HOURS) * HOUR
    )


def test_requests_like_the_training_rows_are_no_skew(training: Any, tmp_path: Path) -> None:
    write(tmp_path / "a.tfrecord", requests(7))
    found = skew(training, tmp_path)
    assert found.state == "steady"
    assert found.size == 7
    assert {f.subject for f in found.findings} == {"y", "kind"}
    assert found.findings[0].ranges > 20
    assert found.start == "1970-04-11T00:00:00Z"  # the first input of the first window


def test_shifted_requests_are_skew(training: Any, tmp_path: Path) -> None:
    write(tmp_path / "a.tfrecord", requests(7, shift=30))
    found = skew(training, tmp_path)
    assert found.state == "drifted"
    assert [f.subject for f in found.findings if f.drifted] == ["y"]
    assert found.reason.startswith("requests differ")


def test_examples_are_read_like_tensors(training: Any, tmp_path: Path) -> None:
    def feature(values: Any) -> Any:
        if isinstance(values, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[values]))
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    values = wave(np.arange(LOOKBACK))
    example = tf.train.Example(
        features=tf.train.Features(
            feature={"y_tensor": feature(values), "kind": feature(b"a"), "other": feature([1.0])}
        )
    )
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = "serve_examples"
    log.predict_log.request.inputs["examples"].CopyFrom(
        tf.make_tensor_proto([example.SerializeToString()] * 3)
    )
    write(tmp_path / "a.tfrecord", [log])
    found = read_requests(log_files(str(tmp_path)), training.columns, METADATA, newest=10)
    assert found.requests == 1
    np.testing.assert_array_equal(
        found.counts["y"], 3 * training.columns["y"].count(values.astype(np.float32))
    )
    assert found.counts["kind"].sum() == 3


def test_the_newest_requests_are_read_across_files(training: Any, tmp_path: Path) -> None:
    for i, name in enumerate(("c", "a", "b")):
        path = write(tmp_path / f"{name}.tfrecord", requests(3, shift=100 * i))
        os.utime(path, (1000 + i, 1000 + i))
    found = read_requests(log_files(str(tmp_path)), training.columns, METADATA, newest=4)
    assert found.requests == 4
    # Three of the newest file and the last one of the file before: all far above training.
    above = training.columns["y"].size - 2
    assert found.counts["y"][above] == 4 * 2 * LOOKBACK


def test_what_is_no_request_of_windows_is_passed_over(training: Any, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tfrecord",
        [
            *requests(2),
            prediction_log_pb2.PredictionLog(),
            request(np.ones((1, 2)), ["a"], [0], signature="describe"),
            *requests(1),
        ],
    )
    os.truncate(path, path.stat().st_size - 5)  # a server that was killed
    found = read_requests(log_files(str(tmp_path)), training.columns, METADATA, newest=99)
    assert (found.requests, found.other, found.torn) == (2, 2, ["a.tfrecord"])
    assert found.values == 2 * 2 * LOOKBACK


def test_without_requests_it_waits(training: Any, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing", tmp_path / "*.tfrecord"):
        found = skew(training, place)
        assert (found.state, found.waiting, found.size) == ("not_checked", True, 0)


def test_a_glob_a_file_and_a_folder_name_the_same_files(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", requests(1))
    (tmp_path / "notes.txt").write_text("not a log")
    for place in (tmp_path, path, tmp_path / "*.tfrecord"):
        assert log_files(str(place)) == [path]
    before = log_fingerprint(str(tmp_path))
    assert before == log_fingerprint(str(path))
    write(tmp_path / "b.tfrecord", requests(1))
    assert log_fingerprint(str(tmp_path)) not in ("", before)
    assert log_fingerprint(str(tmp_path / "none")) == ""
