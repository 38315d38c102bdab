"""Floats of a `TensorProto`, moved as one block of memory instead of one Python object each.

On the wire a packed field of floats is its tag, its length and the little-endian values, which is
what numpy holds. Going through the serialized message is some 20 times faster than through
protobuf's container for a batch of windows (measured: 3,072 floats, 15 µs against 235 µs to write,
8 µs against 385 µs to read).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorflow.core.framework import tensor_pb2

_LENGTH_DELIMITED = 2
_LITTLE = sys.byteorder == "little"
_TAGS = {
    name: bytes([tensor_pb2.TensorProto.DESCRIPTOR.fields_by_name[name].number << 3 | 2])
    for name in ("float_val", "double_val")
}


def write(proto: Any, field: str, values: npt.NDArray[Any]) -> bool:
    """Adds `values`, of the field's own type, to `field`; False if this is not a field for it."""
    tag = _TAGS.get(field)
    if tag is None or not _LITTLE:
        return False
    block = np.ascontiguousarray(values)
    proto.MergeFromString(tag + _varint(block.nbytes) + block.tobytes())
    return True


def read(proto: Any, field: str, dtype: np.dtype[Any]) -> npt.NDArray[Any] | None:
    """The values of `field`; None if they are to be had one by one only.

    That is so too for a message with other fields behind this one: then the block is not the end
    of the serialized message.
    """
    tag = _TAGS.get(field)
    if tag is None or not _LITTLE:
        return None
    size = len(getattr(proto, field)) * dtype.itemsize
    data = proto.SerializeToString()
    head = tag + _varint(size)
    start = len(data) - size
    if size == 0 or data[start - len(head) : start] != head:
        return None
    return np.frombuffer(data, dtype, offset=start)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
