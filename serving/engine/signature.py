"""`Signature`: what a function of a SavedModel takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

DEFAULT_SIGNATURE = "serving_default"
PREDICT = "tensorflow/serving/predict"
CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
_INTERNAL = ("__saved_model_init_op", "__saved_model_train_op")


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a signature.

    Attributes:
        name: Its key in the signature.
        tensor: Its name in the graph; empty for a sparse or composite tensor, which cannot be
            fed or fetched.
        dtype: As numpy has it; `object` (of bytes) for strings.
        enum: As TensorFlow numbers it (`types_pb2.DataType`).
        shape: None for a dimension that is open; None as a whole if the rank is open.
    """

    name: str
    tensor: str
    dtype: np.dtype[Any]
    enum: int
    shape: tuple[int | None, ...] | None

    @property
    def tf_name(self) -> str:
        """The dtype as TensorFlow writes it in protocol buffers, such as `DT_FLOAT`."""
        return str(types_pb2.DataType.Name(self.enum))

    @property
    def is_string(self) -> bool:
        """Whether it holds byte strings."""
        return self.enum == types_pb2.DT_STRING

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of `shape` can be fed here."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            want is None or want == got for want, got in zip(self.shape, shape, strict=True)
        )


@dataclass(frozen=True)
class Signature:
    """A function of a SavedModel that requests can name.

    Attributes:
        name: Its key in the model.
        method_name: `tensorflow/serving/predict`, `.../classify`, `.../regress`, or another.
        inputs: By name.
        outputs: By name.
    """

    name: str
    method_name: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


def signatures_of(definitions: Mapping[str, Any]) -> dict[str, Signature]:
    """The signatures that requests can name, out of a MetaGraphDef's `signature_def`."""
    return {
        name: Signature(
            name=name,
            method_name=definition.method_name,
            inputs=_infos(definition.inputs),
            outputs=_infos(definition.outputs),
        )
        for name, definition in sorted(definitions.items())
        if name not in _INTERNAL
    }


def _infos(tensors: Mapping[str, Any]) -> Mapping[str, TensorInfo]:
    return MappingProxyType({name: _info(name, tensors[name]) for name in sorted(tensors)})


def _info(name: str, info: Any) -> TensorInfo:
    shape = info.tensor_shape
    known = not shape.unknown_rank
    dtype = tf.as_dtype(info.dtype) if info.dtype else None
    return TensorInfo(
        name=name,
        tensor=info.name if info.WhichOneof("encoding") in ("name", None) else "",
        dtype=np.dtype(object if dtype in (None, tf.string) else dtype.as_numpy_dtype),
        enum=info.dtype,
        shape=tuple(None if d.size < 0 else d.size for d in shape.dim) if known else None,
    )
