"""`SimpleStep`: a step of a simple recurrent network."""

from __future__ import annotations

from models.cells.fused.kernel import Tensor, Tensors
from models.cells.fused.nonlinearity import Nonlinearity
from models.cells.fused.step import StepBack


class SimpleStep:
    """Elman (1990)."""

    two_biases = False

    def __init__(self, activation: Nonlinearity) -> None:
        """`activation` of the state."""
        self._activation = activation

    def forward(
        self, given: Tensor, product: Tensor, states: Tensors
    ) -> tuple[list[Tensor], list[Tensor]]:
        """See `Step`."""
        del states
        return [self._activation.apply(given + product)], []

    def backward(
        self, saved: Tensors, before: Tensors, after: Tensors, gradients: Tensors
    ) -> StepBack:
        """See `Step`."""
        del saved, before
        total = self._activation.back(after[0], gradients[0])
        return StepBack(total, total, [None])
