"""`Signature`: what a function of a SavedModel takes and returns."""

from __future__ import annotations

from collections.abc import Container, Mapping
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
_PLACEHOLDERS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a signature.

    Attributes:
        name: Its key in the signature.
        tensor: Its name in the graph; empty for a sparse or composite tensor, which can be neither
            fed nor fetched.
        dtype: As numpy has it; `object` (of bytes) for strings.
        enum: As TensorFlow numbers it (`types_pb2.DataType`).
        shape: None for a dimension that is open; None as a whole if the rank is open.
        placeholder: Whether it is a placeholder, whose shape is a promise. Other tensors can be fed
            too, and then the shape only says what the graph itself would have put there.
    """

    name: str
    tensor: str
    dtype: np.dtype[Any]
    enum: int
    shape: tuple[int | None, ...] | None
    placeholder: bool = True

    @property
    def tf_name(self) -> str:
        """The dtype as TensorFlow writes it in protocol buffers, such as `DT_FLOAT`."""
        return str(types_pb2.DataType.Name(self.enum))

    @property
    def is_string(self) -> bool:
        """Whether it holds byte strings."""
        return self.enum == types_pb2.DT_STRING

    @property
    def batched(self) -> bool:
        """Whether its first dimension may be the batch: there is one, and it is open."""
        return self.shape is None or (len(self.shape) > 0 and self.shape[0] is None)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of `shape` keeps what the signature promises to the graph."""
        if self.shape is None or not self.placeholder:
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
        inputs: By name, sorted.
        outputs: By name, sorted.
    """

    name: str
    method_name: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


def signatures_of(meta_graph: Any) -> dict[str, Signature]:
    """The signatures of a MetaGraphDef that requests can name, by name, sorted."""
    placeholders = {n.name for n in meta_graph.graph_def.node if n.op in _PLACEHOLDERS}
    return {
        name: Signature(
            name=name,
            method_name=definition.method_name,
            inputs=_infos(definition.inputs, placeholders),
            outputs=_infos(definition.outputs, placeholders),
        )
        for name, definition in sorted(meta_graph.signature_def.items())
        if name not in _INTERNAL
    }


def _infos(tensors: Mapping[str, Any], placeholders: Container[str]) -> Mapping[str, TensorInfo]:
    return MappingProxyType(
        {name: _info(name, tensors[name], placeholders) for name in sorted(tensors)}
    )


def _info(name: str, info: Any, placeholders: Container[str]) -> TensorInfo:
    shape = info.tensor_shape
    tensor = info.name if info.WhichOneof("encoding") in ("name", None) else ""
    return TensorInfo(
        name=name,
        tensor=tensor,
        dtype=_numpy_dtype(info.dtype),
        enum=info.dtype,
        shape=None
        if shape.unknown_rank
        else tuple(None if dim.size < 0 else dim.size for dim in shape.dim),
        placeholder=tensor.partition(":")[0] in placeholders,
    )


def _numpy_dtype(enum: int) -> np.dtype[Any]:
    try:
        return np.dtype(tf.as_dtype(enum).as_numpy_dtype)
    except (TypeError, KeyError):  # DT_INVALID, resources and variants have no arrays
        return np.dtype(object)
