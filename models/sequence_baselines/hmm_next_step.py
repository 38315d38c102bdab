"""A hidden Markov model that says which symbol comes next."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.hmm import graph
from models.hmm.chain import Chain
from models.hmm.emissions import Categorical
from models.hmm.graph_emissions import SymbolDensity
from models.sequence_baselines.protocol import Tensor, fixed
from models.sequences.core import CoreStepper, SequenceCore, State

HIDDEN = "state_hidden"


class HmmNextStepCore(SequenceCore):
    """Log probability of each next symbol given all before: the forward recursion, one step on.

    Args:
        chain: Hidden states.
        emission: What they emit; symbol 0 is the unknown one.
    """

    def __init__(self, chain: Chain, emission: Categorical) -> None:
        super().__init__()
        self.start = fixed(chain.start[None], tf.float64)
        self.transition = fixed(chain.transition[None], tf.float64)
        self.density = SymbolDensity([emission])
        self.emission = fixed(emission.probability)

    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:  # noqa: ARG002
        """See `SequenceCore`."""
        density = self.density(tokens[0])
        states, _ = graph.forward(self.start, self.transition, density, length)
        after = tf.einsum("btms,msn->btmn", states, self.transition)
        return self.logits(after[:, :, 0])

    def stepper(self) -> CoreStepper:
        """The distribution of the hidden state is the state."""
        return _Stepper(self)

    def logits(self, predicted: Tensor) -> Tensor:
        """float32 `[..., classes]` from the next hidden state, float64 `[..., states]`."""
        return tf.math.log(tf.tensordot(tf.cast(predicted, tf.float32), self.emission, 1))


class _Stepper:
    def __init__(self, core: HmmNextStepCore) -> None:
        self._core = core

    @property
    def state(self) -> Mapping[str, tuple[int, ...]]:
        return {HIDDEN: (int(self._core.start.shape[1]),)}

    def init(self, rows: Tensor) -> State:
        return {HIDDEN: tf.tile(tf.cast(self._core.start, tf.float32), [rows, 1])}

    def step(
        self,
        numbers: Tensor,  # noqa: ARG002
        tokens: tuple[Tensor, ...],
        state: State,
    ) -> tuple[Tensor, State]:
        before = tf.cast(state[HIDDEN], tf.float64)[:, None]
        hidden, _ = graph.forward_step(before, self._core.density(tokens[0]))
        after = graph.predict(hidden, self._core.transition)[:, 0]
        return self._core.logits(after), {HIDDEN: tf.cast(after, tf.float32)}
