"""`Step`: one step of a cell and the way back through it, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from models.cells.fused.kernel import Tensor, Tensors


@dataclass(frozen=True)
class StepBack:
    """Gradients of one step.

    Attributes:
        given: By what the inputs give to the step, [batch, gates].
        product: By the product of the output before with the recurrent kernel, [batch, gates].
        states: By the states before, but for what comes through that product, each [batch, units].
    """

    given: Tensor
    product: Tensor
    states: list[Tensor]


class Step(Protocol):
    """A cell whose gates are sums of a product with the inputs and one with the output before."""

    two_biases: bool
    """Whether the bias has two rows, and the second is added to the recurrent product."""

    def arranged(self, gates: Tensor) -> Tensor:
        """The gates, along the last axis, in the order of the step instead of Keras'."""

    def restored(self, gates: Tensor) -> Tensor:
        """The way back from `arranged`."""

    def forward(self, given: Tensor, product: Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
        """One step.

        Args:
            given: Product of the inputs with the kernel, and bias, [batch, gates].
            product: Product of the output before with the recurrent kernel, [batch, gates].
            states: Before, the output first, each [batch, units].

        Returns:
            The states after, and what `backward` needs beside the states before and after.
        """

    def backward(
        self, saved: Tensors, before: Tensors, after: Tensors, gradients: Tensors
    ) -> StepBack:
        """Back through one step.

        Args:
            saved: From `forward`.
            before: The states before.
            after: The states after.
            gradients: By the states after.
        """
