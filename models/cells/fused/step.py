"""`Step`: one step of a cell and the way back through it, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from models.cells.fused.kernel import Tensor, Tensors


@dataclass(frozen=True)
class StepBack:
    """Gradients of one step.

    Attributes:
        given: By what the inputs give to the step, for each group of gates [batch, gates].
        product: By the product of the output before with the recurrent kernel, likewise.
        states: By the states before, but for what comes through that product, each [batch, units];
            None: nothing else comes.
    """

    given: list[Tensor]
    product: list[Tensor]
    states: list[Tensor]


class Step(Protocol):
    """A cell whose gates are sums of a product with the inputs and one with the output before.

    Gates come in groups, each computed by one operation where it can be.
    """

    groups: tuple[tuple[int, ...], ...]
    """Of each group, its gates by their place in Keras' weights."""

    own_bias: tuple[bool, ...] | None
    """None: the bias of Keras' cell is one row. Otherwise it is two, and by group this says whether
    the second has to be added to the recurrent product by itself, and not to the sum."""

    def forward(
        self, given: Tensors, product: Tensors, states: Tensors
    ) -> tuple[list[Tensor], list[Tensor]]:
        """One step.

        Args:
            given: Product of the inputs with the kernel, and bias, by group [batch, gates].
            product: Product of the output before with the recurrent kernel, likewise.
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
