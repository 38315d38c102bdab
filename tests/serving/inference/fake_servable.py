"""A servable that answers with given arrays, whatever it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf

from serving.engine.servable import Array, Servable
from serving.engine.signature import PREDICT, Signature, TensorInfo

_ENUMS = {"object": tf.string.as_datatype_enum}


def info(name: str, like: Any, shape: tuple[int | None, ...] | None = None) -> TensorInfo:
    """A tensor of the graph called `name:0`; `like` has its dtype."""
    dtype = np.asarray(like).dtype
    enum = _ENUMS.get(dtype.name) or tf.as_dtype(dtype).as_datatype_enum
    return TensorInfo(name, f"{name}:0", dtype, enum, shape)


def signature(
    name: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    method: str = PREDICT,
) -> Signature:
    """A signature whose tensors have the dtypes of the given arrays."""
    return Signature(
        name,
        method,
        {key: info(key, value) for key, value in inputs.items()},
        {key: info(key, value) for key, value in outputs.items()},
    )


class FakeServable:
    """Answers with what its signatures say.

    Attributes:
        fed: What it was run on.
    """

    def __init__(self, *signatures: Signature, values: Mapping[str, Any] | None = None) -> None:
        self.name, self.version = "m", 123
        self.signatures = {each.name: each for each in signatures}
        self.values = dict(values or {})
        self.fed: list[Mapping[str, Array]] = []
        self.error: Exception | None = None

    def run_tensors(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        self.fed.append(feeds)
        if self.error is not None:
            raise self.error
        return [np.asarray(self.values[name.removesuffix(":0")]) for name in fetches]

    @property
    def it(self) -> Servable:
        """As the servable that it stands for."""
        return cast(Servable, self)


def texts(*rows: Sequence[bytes]) -> Array:
    """object [rows, columns]."""
    return np.array(rows, dtype=object)


def floats(*rows: Any) -> Array:
    return np.array(rows, dtype=np.float32)
