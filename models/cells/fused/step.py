"""`Step`: one step of a cell and the way back through it, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from models.cells.fused.kernel import Tensor, Tensors


@dataclass(frozen=True)
class StepBack:
    """Gradients of one step.

    Attributes:
        given: By what the inputs give to the step, [batch, gates * units].
        product: By the product of the output before with the recurrent kernel, likewise.
        states: By the states before, but for what comes through that product, each [batch, units];
            None: nothing else comes.
    """

    given: Tensor
    product: Tensor
    states: list[Tensor | None]


class Step(Protocol):
    """A cell whose gates are sums of a product with the inputs and one with the output before.

    Gates stand side by side, in the order of Keras' weights.
    """

    two_biases: bool
    """Whether the bias of Keras' cell has two rows, the second one for the recurrent product; the
    gradients by the two products are then not the same."""

    def forward(
        self, given: Tensor, product: Tensor, states: Tensors
    ) -> tuple[list[Tensor], list[Tensor]]:
        """One step.

        Args:
            given: Product of the inputs with the kernel, and bias, [batch, gates * units].
            product: Product of the output before with the recurrent kernel, and bias if there is
                a second one, likewise.
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
