"""`Sampler`: goes on from a prefix, symbol by symbol, each drawn from what the model expects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from models.sequences.core import CoreStepper, SequenceCore
from models.sequences.text import FIRST_ID

Tensor = Any
Draw = Callable[[Tensor, Tensor], Tensor]
MOST_SYMBOLS = 1 << 20
"""Most symbols that one call draws, all rows together, so that no request takes all memory."""
_BLOCK = 64


class Sampler:
    """Draws symbols after a prefix from the model's probabilities, never the unknown one.

    The symbol at step t of a row is drawn with temperature T from p(symbol)^(1/T), renormalised
    over the known symbols, and becomes the next input; T = 0 takes the most probable. The draw
    depends on the row's seed and on t alone, so a row gets the same symbols in any batch, as far
    as the model gives the same probabilities. The numbers are those of Philox with the key
    (seed, block of steps), see `tf.random.stateless_uniform`.

    Args:
        core: For next_step.
        stepper: The core step by step. None: all of the sequence is read again at each step.
        classes: Names, in the order of the logits; the first is the unknown symbol.
    """

    def __init__(
        self, core: SequenceCore, stepper: CoreStepper | None, classes: Sequence[str]
    ) -> None:
        self._core, self._stepper = core, stepper
        self._classes = list(classes)

    def __call__(
        self, tokens: Tensor, length: Tensor, steps: Tensor, temperature: Tensor, seed: Tensor
    ) -> Tensor:
        """Symbols after the prefixes.

        Args:
            tokens: int32 `[batch, time]`: ids of the prefixes, 0 where padded.
            length: int32 `[batch]`, from 1.
            steps: int32 `[batch]`: symbols wanted.
            temperature: float32 `[batch]`, 0 or above.
            seed: int64 `[batch]`.

        Returns:
            string `[batch, most steps]`, "" behind the steps of a row.

        Raises:
            InvalidArgumentError: When it runs, if a number is below 0 or too many symbols are
                asked for.
        """
        most = tf.maximum(tf.reduce_max(steps), 0)
        rows = tf.shape(tokens)[0]
        checks = [
            tf.debugging.Assert(good, message)
            for good, message in (
                (tf.reduce_all(steps >= 0), ["steps must be 0 or more, got", steps]),
                (
                    tf.reduce_all(temperature >= 0.0),
                    ["temperature must be 0 or more, got", temperature],
                ),
                (
                    tf.cast(most, tf.int64) * tf.cast(rows, tf.int64) <= MOST_SYMBOLS,
                    [f"rows times steps must be at most {MOST_SYMBOLS}, got", rows, "times", most],
                ),
            )
        ]
        with tf.control_dependencies([check for check in checks if check is not None]):
            some = tf.maximum(most, 1)  # nothing at all could not be stacked
        uniform = _uniform(seed, some)

        def draw(logits: Tensor, t: Tensor) -> Tensor:
            return _drawn(logits, temperature, uniform[:, t])

        go = self._reading_again if self._stepper is None else self._stepping
        chosen = go(tokens, length, some, draw)[:, :most]
        inside = tf.sequence_mask(steps, most)
        return tf.where(inside, tf.gather(tf.constant(self._classes), chosen), "")

    def _reading_again(self, tokens: Tensor, length: Tensor, most: Tensor, draw: Draw) -> Tensor:
        rows = tf.shape(tokens)[0]
        places = tf.range(tf.shape(tokens)[1] + most)
        whole = tf.pad(tokens, [[0, 0], [0, most]])

        def body(t: Tensor, whole: Tensor, drawn: tf.TensorArray) -> Any:
            now = length + t
            read = whole[:, : tf.reduce_max(now)]
            numbers = tf.zeros([rows, tf.shape(read)[1], 0])
            logits = self._core(numbers, (read,), now)
            chosen = draw(tf.gather(logits, now - 1, batch_dims=1), t)
            ids = (chosen + FIRST_ID - 1)[:, None]
            whole = tf.where(tf.equal(places, now[:, None]), ids, whole)
            return t + 1, whole, drawn.write(t, chosen)

        drawn = tf.TensorArray(tf.int32, size=most, element_shape=[None])
        _, _, drawn = tf.while_loop(
            lambda t, *_: t < most,
            body,
            (tf.constant(0), whole, drawn),
            shape_invariants=(
                tf.TensorShape([]),
                tf.TensorShape([None, None]),
                tf.TensorShape(None),
            ),
        )
        return tf.reshape(tf.transpose(drawn.stack()), [rows, most])

    def _stepping(self, tokens: Tensor, length: Tensor, most: Tensor, draw: Draw) -> Tensor:
        stepper = self._stepper
        assert stepper is not None
        rows, time = tf.shape(tokens)[0], tf.shape(tokens)[1]
        nothing = tf.zeros([rows, 0])
        shapes = {name: (None, *shape) for name, shape in stepper.state.items()}

        def step(ids: Tensor, state: Any) -> tuple[Tensor, Any]:
            logits, after = stepper.step(nothing, (ids,), state)
            return logits, {k: tf.ensure_shape(after[k], shapes[k]) for k in shapes}

        def read(t: Tensor, logits: Tensor, state: Any) -> Any:
            new, after = step(tokens[:, t], state)
            counts = t < length
            kept = {
                k: tf.where(
                    tf.reshape(counts, [-1] + [1] * (len(shapes[k]) - 1)), after[k], state[k]
                )
                for k in shapes
            }
            return t + 1, tf.where(counts[:, None], new, logits), kept

        def body(t: Tensor, logits: Tensor, state: Any, drawn: tf.TensorArray) -> Any:
            chosen = draw(logits, t)
            logits, after = step(chosen + FIRST_ID - 1, state)
            return t + 1, logits, after, drawn.write(t, chosen)

        begun = {k: tf.ensure_shape(stepper.init(rows)[k], shapes[k]) for k in shapes}
        width = len(self._classes)
        variant = (
            tf.TensorShape([]),
            tf.TensorShape([None, width]),
            {k: tf.TensorShape(shape) for k, shape in shapes.items()},
        )
        _, logits, state = tf.while_loop(
            lambda t, *_: t < time,
            read,
            (tf.constant(0), tf.zeros([rows, width]), begun),
            shape_invariants=variant,
        )
        drawn = tf.TensorArray(tf.int32, size=most, element_shape=[None])
        *_, drawn = tf.while_loop(
            lambda t, *_: t < most,
            body,
            (tf.constant(0), logits, state, drawn),
            shape_invariants=(*variant, tf.TensorShape(None)),
        )
        return tf.reshape(tf.transpose(drawn.stack()), [rows, most])


def _drawn(logits: Tensor, temperature: Tensor, uniform: Tensor) -> Tensor:
    """int32 `[batch]`: the class whose share of the cumulative probability holds `uniform`."""
    # A floor, so that a model that expects nothing but the unknown symbol still gives one.
    logits = tf.maximum(tf.cast(logits, tf.float64), -1e9)
    unknown = tf.one_hot(0, tf.shape(logits)[-1], on_value=True, off_value=False)
    greedy = temperature <= 0.0
    divisor = tf.where(greedy, 1.0, temperature)[:, None]
    known = tf.where(unknown, tf.constant(float("-inf"), tf.float64), logits)
    known -= tf.reduce_max(known, axis=-1, keepdims=True)  # so that a small divisor overflows not
    cumulative = tf.cumsum(tf.nn.softmax(known / tf.cast(divisor, tf.float64)), axis=-1)
    below = cumulative <= uniform[:, None] * cumulative[:, -1:]
    drawn = tf.reduce_sum(tf.cast(below, tf.int32), axis=-1)
    last = tf.shape(logits)[-1] - 1
    best = tf.argmax(known, axis=-1, output_type=tf.int32)
    return tf.where(greedy, best, tf.minimum(drawn, last))


def _uniform(seed: Tensor, steps: Tensor) -> Tensor:
    """float64 `[batch, steps]` in [0, 1); the value at (seed, step) depends on these alone."""
    blocks = (steps + _BLOCK - 1) // _BLOCK
    # One key for each row and block: nothing promises that a longer draw begins like a shorter.
    keys = tf.stack(
        [
            tf.repeat(seed, blocks),
            tf.tile(tf.range(tf.cast(blocks, tf.int64)), tf.shape(seed)),
        ],
        axis=1,
    )
    drawn = tf.map_fn(
        lambda key: tf.random.stateless_uniform([_BLOCK], key, dtype=tf.float64, alg="philox"),
        keys,
        fn_output_signature=tf.TensorSpec((_BLOCK,), tf.float64),
    )
    return tf.reshape(drawn, [tf.shape(seed)[0], blocks * _BLOCK])[:, :steps]
