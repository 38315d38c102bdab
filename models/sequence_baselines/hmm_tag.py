"""A hidden Markov model whose states are the tags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from models.hmm import graph
from models.hmm.chain import Chain
from models.hmm.emissions import Categorical, DiagonalGaussian
from models.hmm.graph_emissions import SymbolDensity, VectorDensity
from models.sequence_baselines.protocol import Tensor, fixed
from models.sequences.core import SequenceCore

SMALLEST = float(np.finfo(np.float32).tiny)


class HmmTagCore(SequenceCore):
    """Log posterior of each step's tag given the whole sequence.

    Args:
        chain: Of the tags.
        columns: Of each column of symbols, what the tags emit.
        numbers: What the tags emit of the number columns; None if there are none.
    """

    def __init__(
        self, chain: Chain, columns: Sequence[Categorical], numbers: DiagonalGaussian | None
    ) -> None:
        super().__init__()
        self.start = fixed(chain.start[None], tf.float64)
        self.transition = fixed(chain.transition[None], tf.float64)
        self.columns = [SymbolDensity([column]) for column in columns]
        self.numbers = VectorDensity([numbers]) if numbers is not None else None

    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:
        """See `SequenceCore`."""
        densities = [column(ids) for column, ids in zip(self.columns, tokens, strict=True)]
        if self.numbers is not None:
            densities.append(self.numbers(numbers))
        density = tf.add_n(densities)
        posterior = graph.posterior(self.start, self.transition, density, length)[:, :, 0]
        return tf.math.log(tf.maximum(tf.cast(posterior, tf.float32), SMALLEST))

    def stepper(self) -> str:
        """Refused: the posterior of a step depends on later ones."""
        return "the tag of a step depends on the steps after it (forward-backward)"
