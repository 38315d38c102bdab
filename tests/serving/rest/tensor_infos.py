"""Inputs of signatures, for tests of the decoder that need no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES: Mapping[str, type] = {
    "half": np.float16,
    "float": np.float32,
    "double": np.float64,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "bool": np.bool_,
    "string": object,
    "complex64": np.complex64,
}


@dataclass(frozen=True)
class Info:
    """What the decoder asks of a TensorInfo."""

    tf_name: str
    dtype: np.dtype[Any]


def infos(dtypes: Mapping[str, str]) -> dict[str, Info]:
    """Inputs by name, from names of dtypes as TensorFlow's messages write them."""
    return {
        name: Info("DT_" + dtype.upper(), np.dtype(DTYPES[dtype])) for name, dtype in dtypes.items()
    }
