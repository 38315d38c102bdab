"""Which tensors can be sent: `DataType`, numpy's dtype, and the proto's field of values."""

from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np
from tensorflow.core.framework import types_pb2


@dataclass(frozen=True)
class WireType:
    """How the elements of one `DataType` travel in a `TensorProto`.

    Attributes:
        enum: The `DataType`.
        dtype: numpy's; object (of bytes) for strings.
        field: The repeated field for values one by one.
        bits: The integer type whose values are the elements' bits (half and bfloat16 only).
    """

    enum: int
    dtype: np.dtype[np.generic]
    field: str
    bits: np.dtype[np.generic] | None = None

    @property
    def name(self) -> str:
        """The name of the `DataType`, such as `DT_FLOAT`."""
        return dtype_name(self.enum)

    @property
    def parts(self) -> int:
        """How many values of the field one element takes: 2 if complex, else 1."""
        return 2 if self.dtype.kind == "c" else 1


_WORD = np.dtype(np.uint16)
_TYPES = tuple(
    WireType(enum, np.dtype(dtype), field, bits)
    for enum, dtype, field, bits in (
        (types_pb2.DT_FLOAT, np.float32, "float_val", None),
        (types_pb2.DT_DOUBLE, np.float64, "double_val", None),
        (types_pb2.DT_HALF, np.float16, "half_val", _WORD),
        (types_pb2.DT_BFLOAT16, ml_dtypes.bfloat16, "half_val", _WORD),
        (types_pb2.DT_INT8, np.int8, "int_val", None),
        (types_pb2.DT_INT16, np.int16, "int_val", None),
        (types_pb2.DT_INT32, np.int32, "int_val", None),
        (types_pb2.DT_INT64, np.int64, "int64_val", None),
        (types_pb2.DT_UINT8, np.uint8, "int_val", None),
        (types_pb2.DT_UINT16, np.uint16, "int_val", None),
        (types_pb2.DT_UINT32, np.uint32, "uint32_val", None),
        (types_pb2.DT_UINT64, np.uint64, "uint64_val", None),
        (types_pb2.DT_BOOL, np.bool_, "bool_val", None),
        (types_pb2.DT_STRING, np.object_, "string_val", None),
        (types_pb2.DT_COMPLEX64, np.complex64, "scomplex_val", None),
        (types_pb2.DT_COMPLEX128, np.complex128, "dcomplex_val", None),
    )
)
BY_ENUM = {wire.enum: wire for wire in _TYPES}
BY_DTYPE = {wire.dtype: wire for wire in _TYPES}


def dtype_name(enum: int) -> str:
    """The name of a `DataType`, such as `DT_FLOAT`; the number if there is none of that number."""
    try:
        return str(types_pb2.DataType.Name(enum))
    except ValueError:
        return str(enum)
