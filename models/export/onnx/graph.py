"""`Graph` and `Value`: an ONNX graph while it is written, and the tensors in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.export.engines import require_packages

OPSET = 20
"""Of ONNX itself; what every runtime since the middle of 2024 has."""
ML, ML_OPSET = "ai.onnx.ml", 3
IR_VERSION = 9
Shape = tuple[int | None, ...]


class Graph:
    """Nodes and constants, in the order in which they were made.

    Raises:
        BadInputError: If the package `onnx` is not installed.
    """

    def __init__(self) -> None:
        require_packages("onnx")
        import onnx

        self._onnx = onnx
        self.nodes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._tensors: list[Any] = []
        self._names = 0

    def constant(self, array: npt.ArrayLike, dtype: str | None = None) -> Value:
        """A constant; equal ones are kept once."""
        values = np.asarray(array, dtype)
        key = (str(values.dtype), values.shape, values.tobytes())
        if key not in self._constants:
            name = self._name("constant")
            self._tensors.append(self._onnx.numpy_helper.from_array(values, name))
            self._constants[key] = Value(self, name, values.shape, str(values.dtype))
        return self._constants[key]

    def input(self, name: str, shape: Shape, dtype: str) -> Value:
        """An input of the graph, whose name must not be one that `node` makes."""
        return Value(self, name, shape, dtype)

    def node(
        self,
        operator: str,
        *inputs: Value | None,
        shape: Shape,
        dtype: str = "float32",
        domain: str = "",
        **attributes: Any,
    ) -> Value:
        """The first output of a new node.

        Args:
            operator: Its ONNX operator.
            inputs: Its inputs; None leaves one out.
            shape: Of the output, None where it is open.
            dtype: Of the output.
            domain: Of the operator; empty for ONNX's own.
            attributes: Of the operator.
        """
        return self.nodes_outputs(
            operator, inputs, [shape], dtype=dtype, domain=domain, **attributes
        )[0]

    def nodes_outputs(
        self,
        operator: str,
        inputs: Sequence[Value | None],
        shapes: Sequence[Shape | None],
        *,
        dtype: str = "float32",
        domain: str = "",
        **attributes: Any,
    ) -> list[Value]:
        """As `node`, all outputs of one type; a shape of None leaves an output out."""
        values = [Value(self, self._name(operator), shape or (), dtype) for shape in shapes]
        self.nodes.append(
            self._onnx.helper.make_node(
                operator,
                ["" if value is None else value.name for value in inputs],
                [
                    "" if shape is None else value.name
                    for value, shape in zip(values, shapes, strict=True)
                ],
                domain=domain,
                **attributes,
            )
        )
        return values

    def recorded(self, write: Callable[[], Sequence[Value]]) -> tuple[list[Any], Sequence[Value]]:
        """The nodes that `write` makes, for a body, and what it returns; constants stay outside."""
        outside, self.nodes = self.nodes, []
        try:
            returned = write()
            return self.nodes, returned
        finally:
            self.nodes = outside

    def info(self, value: Value, rows: str | None = None) -> Any:
        """What an input or output is, as a ValueInfoProto.

        Args:
            value: The input or output.
            rows: Name of the size that is open; sizes of one name are taken to be equal.
        """
        kind = self._onnx.TensorProto.STRING
        if value.dtype != "string":
            kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype))
        dims = [rows if size is None else size for size in value.shape]
        return self._onnx.helper.make_tensor_value_info(value.name, kind, dims)

    def named(self, value: Value, name: str) -> Value:
        """The same tensor under a name of one's own, for an output of the graph."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [value.name], [name]))
        return Value(self, name, value.shape, value.dtype)

    def model(
        self, inputs: Sequence[Value], outputs: Sequence[Value], about: dict[str, str]
    ) -> Any:
        """The graph as an ONNX ModelProto, checked.

        Args:
            inputs: Of the graph.
            outputs: Of the graph, each made by `named`.
            about: Metadata, by key.
        """
        helper = self._onnx.helper
        graph = helper.make_graph(
            self.nodes,
            "elman_forecaster",
            [self.info(value, "batch") for value in inputs],
            [self.info(value, "batch") for value in outputs],
            self._tensors,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="elman"
        )
        helper.set_model_props(model, about)
        self._onnx.checker.check_model(model, full_check=True)
        return model

    def _name(self, kind: str) -> str:
        # Tensors of signatures have letters, digits and underscores only: no name is taken twice.
        self._names += 1
        return f"{kind}/{self._names}"


class Value:
    """A tensor of a graph; whole numbers and other values of its dtype calculate with it.

    `//` and `%` of integers round down, as in Python.

    Attributes:
        graph: The graph.
        name: Its name there.
        shape: None where the size is open, which is the batch axis alone.
        dtype: As NumPy names it, or `string`.
    """

    def __init__(self, graph: Graph, name: str, shape: Shape, dtype: str) -> None:
        self.graph, self.name, self.shape, self.dtype = graph, name, shape, dtype

    def cast(self, dtype: str) -> Value:
        """As another type."""
        if dtype == self.dtype:
            return self
        onnx = self.graph._onnx
        to = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.graph.node("Cast", self, shape=self.shape, dtype=dtype, to=to)

    def reshaped(self, *shape: int | None) -> Value:
        """In another shape, of which one size may be open."""
        sizes = self.graph.constant([-1 if size is None else size for size in shape], "int64")
        return self.graph.node("Reshape", self, sizes, shape=shape, dtype=self.dtype)

    def transposed(self, *axes: int) -> Value:
        """With its axes in another order."""
        shape = tuple(self.shape[axis] for axis in axes)
        return self.graph.node("Transpose", self, shape=shape, dtype=self.dtype, perm=list(axes))

    def with_axis(self, axis: int) -> Value:
        """With one more axis, of size 1, at `axis`, which counts from 0."""
        shape = (*self.shape[:axis], 1, *self.shape[axis:])
        axes = self.graph.constant([axis], "int64")
        return self.graph.node("Unsqueeze", self, axes, shape=shape, dtype=self.dtype)

    def without_axis(self, axis: int) -> Value:
        """Without the axis `axis`, of size 1."""
        shape = (*self.shape[:axis], *self.shape[axis + 1 :])
        axes = self.graph.constant([axis], "int64")
        return self.graph.node("Squeeze", self, axes, shape=shape, dtype=self.dtype)

    def part(self, start: int, stop: int, axis: int) -> Value:
        """`start .. stop - 1` along an axis."""
        begin, end, along = (
            self.graph.constant([number], "int64") for number in (start, stop, axis)
        )
        shape = (*self.shape[:axis], stop - start, *self.shape[axis + 1 :])
        return self.graph.node("Slice", self, begin, end, along, shape=shape, dtype=self.dtype)

    def repeated(self, times: int, axis: int) -> Value:
        """An axis of size 1, `times` as long."""
        sizes = [times if index == axis else 1 for index in range(len(self.shape))]
        shape = (*self.shape[:axis], times, *self.shape[axis + 1 :])
        factors = self.graph.constant(sizes, "int64")
        return self.graph.node("Expand", self, factors, shape=shape, dtype=self.dtype)

    def matmul(self, matrix: npt.NDArray[Any]) -> Value:
        """The product with a constant matrix, along the last axis."""
        shape = (*self.shape[:-1], matrix.shape[-1])
        return self.graph.node("MatMul", self, self.graph.constant(matrix), shape=shape)

    def over(self, operator: str, axis: int) -> Value:
        """`ReduceMean`, `ReduceMax` or the like over an axis, which stays with size 1."""
        axes = self.graph.constant([axis], "int64")
        shape = (*self.shape[:axis], 1, *self.shape[axis + 1 :])
        return self.graph.node(operator, self, axes, shape=shape, keepdims=1)

    def mapped(self, operator: str, **attributes: Any) -> Value:
        """An operator of one input, element by element."""
        return self.graph.node(operator, self, shape=self.shape, dtype=self.dtype, **attributes)

    def with_other(self, operator: str, other: Any, *, reverse: bool = False) -> Value:
        """An operator of two inputs, element by element; the two broadcast."""
        second = other if isinstance(other, Value) else self.graph.constant(other, self.dtype)
        first, second = (second, self) if reverse else (self, second)
        shape = _broadcast(first.shape, second.shape)
        return self.graph.node(operator, first, second, shape=shape, dtype=self.dtype)

    def __add__(self, other: Any) -> Value:
        return self.with_other("Add", other)

    def __radd__(self, other: Any) -> Value:
        return self.with_other("Add", other, reverse=True)

    def __sub__(self, other: Any) -> Value:
        return self.with_other("Sub", other)

    def __rsub__(self, other: Any) -> Value:
        return self.with_other("Sub", other, reverse=True)

    def __mul__(self, other: Any) -> Value:
        return self.with_other("Mul", other)

    def __rmul__(self, other: Any) -> Value:
        return self.with_other("Mul", other, reverse=True)

    def __truediv__(self, other: Any) -> Value:
        return self.with_other("Div", other)

    def __mod__(self, other: Any) -> Value:
        return self.with_other("Mod", other)

    def __floordiv__(self, other: Any) -> Value:
        # ONNX divides integers towards zero; what is left without its remainder divides exactly.
        return (self - self % other).with_other("Div", other)


def _broadcast(first: Shape, second: Shape) -> Shape:
    rank = max(len(first), len(second))
    one, two = ((1,) * (rank - len(s)) + tuple(s) for s in (first, second))
    return tuple(b if a == 1 else a for a, b in zip(one, two, strict=True))
