"""`Runtime`: runs one signature of a model in TensorFlow's place. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy.typing as npt

Array = npt.NDArray[Any]
EngineName = Literal["tensorflow", "onnx", "litert"]
ENGINES: tuple[EngineName, ...] = ("tensorflow", "onnx", "litert")


class Runtime(Protocol):
    """One signature; may be used by several threads.

    Attributes:
        inputs: Names, as in the signature.
        outputs: Names, as in the signature.
    """

    inputs: frozenset[str]
    outputs: frozenset[str]

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """The values of `outputs`, in their order.

        Args:
            inputs: By name, arrays of at least one row; strings as object arrays of bytes.
            outputs: Names of those wanted.
        """

    def close(self) -> None:
        """Frees the memory; nothing can be run afterwards."""
