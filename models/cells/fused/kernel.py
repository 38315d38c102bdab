"""`Kernel`: a whole recurrent layer as one function with a gradient of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Tensor = Any
Tensors = Sequence[Any]


@dataclass(frozen=True)
class Done:
    """What a kernel computed.

    Attributes:
        outputs: By state, all states [batch, steps, units], or the last one [batch, units].
        saved: What its backward pass needs.
    """

    outputs: list[Tensor]
    saved: Any


@dataclass(frozen=True)
class Gradients:
    """Of one loss, by what went into a kernel.

    Attributes:
        inputs: [batch, steps, features].
        states: By state, [batch, units].
        weights: By kernel, recurrent kernel and bias.
    """

    inputs: Tensor
    states: list[Tensor]
    weights: list[Tensor]


class Kernel(Protocol):
    """Arithmetic of a recurrent layer. States are those of the Keras cell, the output first."""

    every: Sequence[bool]
    """By state, whether it is wanted after every step, or after the last one only."""

    def forward(self, inputs: Tensor, states: Tensors, weights: Tensors) -> Done:
        """Reads all steps.

        Args:
            inputs: [batch, steps, features].
            states: Before the first step, each [batch, units].
            weights: Kernel, recurrent kernel and bias of the Keras layer.
        """

    def backward(self, saved: Any, weights: Tensors, gradients: Tensors) -> Gradients:
        """The way back through all steps.

        Args:
            saved: From `forward`.
            weights: As in `forward`.
            gradients: By state, of the shapes that `forward` gave.
        """
