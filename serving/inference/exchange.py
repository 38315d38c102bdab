"""`Exchange`: a request and its answer, for whoever keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from serving.engine.servable import Array
from serving.inference.target import Classification, Prediction, Regression, Target

Answer = Prediction | Classification | Regression | list[Classification | Regression]


@dataclass(frozen=True)
class Exchange:
    """What was asked, and what was answered; nothing of how it came (no headers, no addresses).

    Attributes:
        targets: What the request names; several for multi-inference.
        methods: Of multi-inference, the method of each task.
        answer: As the model gave it.
        inputs: Of predict, by input name.
        outputs: Of predict, those asked for; empty: all.
        examples: Of the other methods, serialized tf.Examples.
    """

    targets: tuple[Target, ...]
    answer: Answer
    inputs: Mapping[str, Array] = field(default_factory=dict)
    outputs: Collection[str] = ()
    examples: Sequence[bytes] = ()
    methods: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it holds, about."""
        arrays = sum(array.nbytes for array in self.inputs.values())
        if isinstance(self.answer, Prediction):
            arrays += sum(array.nbytes for array in self.answer.outputs.values())
        return arrays + sum(map(len, self.examples))


class Keeper(Protocol):
    """Hears of answered requests; returns at once and never raises."""

    def wants(self) -> bool:
        """Whether the next exchange is to be kept; a new draw each time."""

    def keep(self, exchange: Exchange) -> None:
        """Takes an exchange that was wanted."""
