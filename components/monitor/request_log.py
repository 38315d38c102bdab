"""Logged requests: the values that clients sent, column by column.

Files are TFRecords of tensorflow.serving.PredictionLog, as the embedded server, or any server after
TF Serving's LoggingConfig, writes them.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.monitor.columns import ColumnBins

WINDOWS = ("", "serving_default", "serve_examples", "stream_step")
"""Signatures whose inputs are rows of series."""


@dataclass
class LoggedRequests:
    """What logged requests held.

    Attributes:
        counts: By column, int64 `[bins]`.
        requests: Requests counted.
        values: Values counted in the fullest column.
        other: Requests that were passed over: of other signatures, or with other inputs.
        torn: Files whose end is missing, as a killed server leaves them.
        first: Earliest forecast origin, Unix seconds; None where requests do not say.
        last: Latest one.
    """

    counts: dict[str, npt.NDArray[np.int64]]
    requests: int = 0
    other: int = 0
    torn: list[str] = field(default_factory=list)
    first: int | None = None
    last: int | None = None

    @property
    def values(self) -> int:
        """Values counted in the fullest column."""
        return max((int(counts.sum()) for counts in self.counts.values()), default=0)


def log_files(place: str) -> list[Path]:
    """The files at `place` (a folder, a file or a glob), oldest first; empty if there are none."""
    path = Path(place)
    if path.is_dir():
        found = [p for p in path.iterdir() if ".tfrecord" in p.name]
    elif path.is_file():
        found = [path]
    else:
        anchor = Path(path.anchor) if path.is_absolute() else Path()
        pattern = str(path.relative_to(anchor)) if path.is_absolute() else str(path)
        found = list(anchor.glob(pattern))
    files = [p for p in found if p.is_file() and not p.name.startswith(".")]
    return sorted(files, key=lambda p: (p.stat().st_mtime_ns, p.name))


def log_fingerprint(place: str) -> str:
    """Changes when a file at `place` does: 32 hexadecimal digits; empty if there are none."""
    files = log_files(place)
    if not files:
        return ""
    facts = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def read_requests(
    files: list[Path],
    columns: Mapping[str, ColumnBins],
    metadata: Mapping[str, Any],
    *,
    newest: int,
) -> LoggedRequests:
    """Counts the values of the newest requests.

    Args:
        files: Oldest first.
        columns: The bins.
        metadata: The model's `elman.json`: which tensor is which column.
        newest: Requests read at most.
    """
    tensors = {tensor: column for column, tensor in metadata["inputs"].items()}
    found = LoggedRequests({n: np.zeros(b.size, np.int64) for n, b in columns.items()})
    for record in _newest(files, newest, found.torn):
        inputs = _inputs(record)
        known = {tensors[n]: values for n, values in (inputs or {}).items() if n in tensors}
        if not any(name in columns for name in known):
            found.other += 1
            continue
        found.requests += 1
        for name, values in known.items():
            if name in columns:
                _count(found.counts[name], columns[name], values)
        if "time" in known:
            time = np.asarray(known["time"], np.int64)
            first, last = int(time.min()), int(time.max())
            found.first = first if found.first is None else min(found.first, first)
            found.last = last if found.last is None else max(found.last, last)
    return found


def _count(counts: npt.NDArray[np.int64], bins: ColumnBins, values: npt.NDArray[Any]) -> None:
    flat = values.ravel()
    if bins.is_text != (flat.dtype == object):
        return  # another kind of column than training had; the server refuses such requests
    if bins.is_text:
        counts += bins.count([v.decode("utf-8", "backslashreplace") or None for v in flat])
    else:
        counts += bins.count(flat)


def _newest(files: list[Path], newest: int, torn: list[str]) -> Iterator[bytes]:
    left = newest
    for path in reversed(files):
        if left <= 0:
            return
        kept: deque[bytes] = deque(_records(path, torn), maxlen=left)
        left -= len(kept)
        yield from kept


def _records(path: Path, torn: list[str]) -> Iterator[bytes]:
    import tensorflow as tf

    kind = "GZIP" if path.name.endswith(".gz") else ""
    try:
        for record in tf.data.TFRecordDataset(str(path), compression_type=kind):
            yield record.numpy()
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError):
        torn.append(path.name)


def _inputs(record: bytes) -> dict[str, npt.NDArray[Any]] | None:
    """The input tensors of a predict request, or None for another kind of request."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis import prediction_log_pb2

    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError:
        return None
    if log.WhichOneof("log_type") != "predict_log":
        return None
    request = log.predict_log.request
    if request.model_spec.signature_name not in WINDOWS:
        return None
    try:
        tensors = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
    except (TypeError, ValueError):
        return None
    if request.model_spec.signature_name == "serve_examples":
        return _from_examples(tensors.get("examples"))
    return tensors


def _from_examples(examples: npt.NDArray[Any] | None) -> dict[str, npt.NDArray[Any]] | None:
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    gathered: dict[str, list[Any]] = {}
    for text in () if examples is None else examples.ravel():
        try:
            example = tf.train.Example.FromString(text)
        except DecodeError:
            return None
        for name, feature in example.features.feature.items():
            kind = feature.WhichOneof("kind")
            if kind is not None:
                gathered.setdefault(name, []).extend(getattr(feature, kind).value)
    return {
        name: np.asarray(values, object if values and isinstance(values[0], bytes) else None)
        for name, values in gathered.items()
    }
