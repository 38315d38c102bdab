"""`TensorProto` to numpy and back, as tensor.proto describes them (version 0)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorflow.core.framework import tensor_pb2

from serving.rpc import packed
from serving.rpc.dtypes import BY_DTYPE, BY_ENUM, WireType, dtype_name
from serving.status import Code, ServingError

# numpy's bound. TensorFlow's is 254, but hardly any of its operations takes more than 8.
_MOST_DIMENSIONS = 64
_AT_ONCE = 1 << 16


def array_of(proto: Any, name: str, *, max_bytes: int) -> npt.NDArray[Any]:
    """The array that `proto` describes; may be a read-only view of its bytes.

    Values come from `tensor_content`, or from the field that belongs to the dtype: as many as the
    shape has elements, or one that is repeated. TensorFlow itself is more lenient with the number
    of values (it repeats the last one, drops those beyond the end and takes zero where there is
    none), which hides mistakes; what tensor.proto promises is kept.

    Args:
        proto: A `TensorProto`.
        name: Of the input, for messages.
        max_bytes: Largest array to make: a few bytes of a message can ask for any shape.

    Returns:
        The array; object of bytes for strings.

    Raises:
        ServingError: INVALID_ARGUMENT, naming the input, if the proto describes no tensor.
    """
    wire = BY_ENUM.get(proto.dtype)
    if wire is None:
        raise _bad(name, f"dtype {dtype_name(proto.dtype)} cannot be sent to a model")
    if proto.version_number != 0:
        raise _bad(name, f"version {proto.version_number} of TensorProto is not known, only 0 is")
    shape = _shape(proto.tensor_shape, name)
    # Without the dimensions that are 0: numpy does not make [0, 2**62] either.
    _bounded(math.prod(s for s in shape if s) * wire.dtype.itemsize, shape, name, max_bytes)
    count = math.prod(shape)
    if proto.tensor_content:
        return _from_content(proto, wire, count, name).reshape(shape)
    values = _from_values(proto, wire, name)
    if len(values) == count:
        return values.reshape(shape)
    if len(values) == 1 and count > 0:
        if wire.dtype.kind == "O":
            _bounded(count * len(values[0]), shape, name, max_bytes)
        return np.broadcast_to(values, shape)
    raise _bad(
        name,
        f"shape {_text(shape)} has {count} elements, but {wire.field} has {len(values)} values",
    )


def proto_of(array: npt.NDArray[Any], name: str) -> Any:
    """The `TensorProto` of `array`, with its values one by one, as TF Serving sends them.

    Args:
        array: Of a dtype that can be sent; object (bytes or str) for strings.
        name: Of the output, for messages.

    Raises:
        ServingError: UNIMPLEMENTED if there is no way to send the dtype.
    """
    kind = np.dtype(np.object_) if array.dtype.kind in "SU" else array.dtype
    wire = BY_DTYPE.get(kind.newbyteorder("="))
    if wire is None:
        raise ServingError(
            Code.UNIMPLEMENTED,
            f"output {name!r} has dtype {array.dtype}, which cannot be sent in an answer",
        )
    proto = tensor_pb2.TensorProto(dtype=wire.enum)
    # Also for a scalar, whose shape has no dimension but is known.
    proto.tensor_shape.SetInParent()
    for length in array.shape:
        proto.tensor_shape.dim.add(size=length)
    if array.size == 0:
        return proto
    flat = array.reshape(-1)
    if wire.dtype.kind == "O":
        proto.string_val.extend(v if isinstance(v, bytes) else str(v).encode() for v in flat)
        return proto
    flat = np.ascontiguousarray(flat, wire.dtype)
    if wire.parts == 2:
        flat = flat.view(np.float32 if wire.dtype == np.complex64 else np.float64)
    if wire.bits is not None:
        flat = flat.view(wire.bits)
    if not packed.write(proto, wire.field, flat):
        getattr(proto, wire.field).extend(flat.tolist())
    return proto


def _bounded(size: int, shape: tuple[int, ...], name: str, max_bytes: int) -> None:
    if size > max_bytes:
        raise _bad(name, f"shape {_text(shape)} takes {size} bytes; at most {max_bytes} can be")


def _shape(proto: Any, name: str) -> tuple[int, ...]:
    if proto.unknown_rank:
        raise _bad(name, "its shape is of unknown rank; a tensor's shape is known")
    if len(proto.dim) > _MOST_DIMENSIONS:
        raise _bad(name, f"{len(proto.dim)} dimensions; at most {_MOST_DIMENSIONS} are possible")
    shape = tuple(dim.size for dim in proto.dim)
    if any(size < 0 for size in shape):
        raise _bad(name, f"shape {_text(shape)} has a negative dimension")
    return shape


def _from_content(proto: Any, wire: WireType, count: int, name: str) -> npt.NDArray[Any]:
    content = proto.tensor_content
    if getattr(proto, wire.field):
        raise _bad(name, f"both tensor_content and {wire.field} are set; send one of them")
    if wire.dtype.kind == "O":
        return _strings(content, count, name)
    size = count * wire.dtype.itemsize
    if len(content) != size:
        raise _bad(
            name,
            f"{count} elements of {wire.name} are {size} bytes, but tensor_content has "
            f"{len(content)}",
        )
    if wire.dtype.kind == "b":
        # Any byte but 0 is true; a bool that is neither 0 nor 1 is not for TensorFlow to see.
        return np.frombuffer(content, np.uint8) != 0
    # tensor_content is in the sender's byte order; every platform that TensorFlow runs on agrees.
    return np.frombuffer(content, wire.dtype)


def _strings(content: bytes, count: int, name: str) -> npt.NDArray[Any]:
    """Reads what TensorFlow writes for strings: every length as a varint, then all the bytes."""
    lengths, place = [], 0
    for _ in range(count):
        length = shift = 0
        while True:
            if place >= len(content) or shift > 28:
                raise _bad(name, f"tensor_content does not hold {count} strings")
            byte = content[place]
            place += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        lengths.append(length)
    if place + sum(lengths) != len(content):
        raise _bad(name, f"tensor_content does not hold {count} strings")
    array = np.empty(count, object)
    for i, length in enumerate(lengths):
        array[i] = content[place : place + length]
        place += length
    return array


def _from_values(proto: Any, wire: WireType, name: str) -> npt.NDArray[Any]:
    values = getattr(proto, wire.field)
    if not len(values):
        other = next((f for f in _FIELDS if f != wire.field and len(getattr(proto, f))), None)
        if other is not None:
            raise _bad(name, f"{wire.name} has its values in {wire.field}, but {other} is filled")
    if wire.dtype.kind == "O":
        array = np.empty(len(values), object)
        array[:] = list(values)
        return array
    if wire.parts == 2:
        part = np.dtype(np.float32 if wire.dtype == np.complex64 else np.float64)
        if len(values) % 2:
            raise _bad(name, f"{wire.field} has an odd number of values; a complex takes two")
        return _one_by_one(values, part).view(wire.dtype)
    block = packed.read(proto, wire.field, wire.dtype)
    if block is not None:
        return block
    if wire.bits is not None:
        return _integers(values, wire.bits, wire, name).view(wire.dtype)
    if wire.dtype.kind in "iu":
        return _integers(values, wire.dtype, wire, name)
    return _one_by_one(values, wire.dtype)


def _one_by_one(values: Any, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The values, some at a time: all at once would keep every other thread waiting."""
    array = np.empty(len(values), dtype)
    for start in range(0, len(values), _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        array[start : start + len(some)] = np.fromiter(some, dtype, len(some))
    return array


def _integers(
    values: Any, dtype: np.dtype[Any], wire: WireType, name: str
) -> npt.NDArray[np.generic]:
    """The field holds 32 bits or more; what does not fit the dtype is refused, not wrapped."""
    try:
        return _one_by_one(values, dtype)
    except OverflowError:
        limits = np.iinfo(dtype)
        raise _bad(
            name,
            f"{wire.field} has a value that {wire.name} cannot hold ({limits.min} to {limits.max})",
        ) from None


_FIELDS = tuple(sorted({wire.field for wire in BY_ENUM.values()}))


def _text(shape: tuple[int, ...]) -> str:
    shown = ",".join(map(str, shape[:8]))
    return f"[{shown}{',...' if len(shape) > 8 else ''}]"


def _bad(name: str, what: str) -> ServingError:
    return ServingError(Code.INVALID_ARGUMENT, f"tensor parsing error: {name}: {what}")
