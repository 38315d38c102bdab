"""One hidden Markov model for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.hmm import graph
from models.hmm.chain import Chain
from models.hmm.emissions import Categorical, DiagonalGaussian, Emission
from models.hmm.graph_emissions import SymbolDensity, VectorDensity, stacked
from models.sequence_baselines.protocol import Tensor, fixed
from models.sequences.core import CoreStepper, SequenceCore, State

HIDDEN, SCORE = "state_hidden", "state_score"


class HmmClassifyCore(SequenceCore):
    """Log likelihood of a sequence under the model of each class, plus the class's log share.

    Args:
        prior: `[classes]`: log shares.
        chains: Of each class.
        emissions: Of each class: all of the one column of symbols, or all of the numbers.
    """

    def __init__(
        self,
        prior: npt.NDArray[np.float64],
        chains: Sequence[Chain],
        emissions: Sequence[Emission],
    ) -> None:
        super().__init__()
        start, transition = stacked(chains)
        self.prior = fixed(prior, tf.float64)
        self.start, self.transition = fixed(start, tf.float64), fixed(transition, tf.float64)
        symbols = [e for e in emissions if isinstance(e, Categorical)]
        vectors = [e for e in emissions if isinstance(e, DiagonalGaussian)]
        self.of_symbols = bool(symbols)
        self.emission = SymbolDensity(symbols) if symbols else VectorDensity(vectors)

    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:
        """See `SequenceCore`."""

        def density(t: Tensor) -> Tensor:
            return self.density(numbers[:, t], tuple(ids[:, t] for ids in tokens))

        return self.logits(graph.likelihood(self.start, self.transition, density, length))

    def stepper(self) -> CoreStepper:
        """Each model's state and the likelihood so far are the state."""
        return _Stepper(self)

    def density(self, numbers: Tensor, tokens: tuple[Tensor, ...]) -> Tensor:
        """float64 `[..., classes, states]`."""
        return self.emission(tokens[0] if self.of_symbols else numbers)

    def logits(self, likelihood: Tensor) -> Tensor:
        """float32 `[batch, classes]`."""
        return tf.cast(tf.nn.log_softmax(likelihood + self.prior), tf.float32)


class _Stepper:
    def __init__(self, core: HmmClassifyCore) -> None:
        self._core = core

    @property
    def state(self) -> Mapping[str, tuple[int, ...]]:
        classes, states = self._core.start.shape
        return {HIDDEN: (classes, states), SCORE: (classes,)}

    def init(self, rows: Tensor) -> State:
        hidden = tf.tile(tf.cast(self._core.start, tf.float32)[None], [rows, 1, 1])
        return {HIDDEN: hidden, SCORE: tf.zeros([rows, *self.state[SCORE]])}

    def step(
        self, numbers: Tensor, tokens: tuple[Tensor, ...], state: State
    ) -> tuple[Tensor, State]:
        density = self._core.density(numbers, tokens)
        hidden, added = graph.forward_step(tf.cast(state[HIDDEN], tf.float64), density)
        score = tf.cast(state[SCORE], tf.float64) + added
        # Only differences count; without what is common to all, float32 can hold them.
        score -= tf.reduce_max(score, axis=-1, keepdims=True)
        after = tf.cast(graph.predict(hidden, self._core.transition), tf.float32)
        return self._core.logits(score), {HIDDEN: after, SCORE: tf.cast(score, tf.float32)}
