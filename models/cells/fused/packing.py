"""`Packing`: masked steps moved out of the way, so that a kernel need not know of masks."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

Tensor = Any


class Packing:
    """The steps of each row that are not masked, first and without a gap, in the order of reading.

    A masked step changes nothing: a kernel may as well read the other steps in one piece and then
    go on over what is left, which nobody looks at. The states of the last step that counts are then
    those after `lengths` steps.

    What comes out is what Keras' loop gives. At a masked step the output is that of the step before
    it, zeros at first, or always zeros with `zero_output`; states stay as they are. With
    `backwards` steps are read from the last one, and outputs come in the order of reading.

    Masks with all their padding at the end, or none, are reversed and cut without a gather.

    Args:
        mask: bool [batch, steps]; True where there is a step.
        backwards: Whether steps are read from the last one on.
        zero_output: Whether outputs at masked steps are zeros.
    """

    def __init__(self, mask: Tensor, *, backwards: bool, zero_output: bool) -> None:
        mask = tf.cast(mask, tf.bool)
        self._backwards, self._zero_output = backwards, zero_output
        self._lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        self._right_padded = tf.reduce_all(tf.logical_or(mask[:, :-1], ~mask[:, 1:]))
        self._read = tf.reverse(mask, axis=[1]) if backwards else mask

    def packed(self, steps: Tensor) -> Tensor:
        """[batch, steps, features] as the kernel reads them."""

        def padded() -> Tensor:
            if not self._backwards:
                return tf.identity(steps)
            return tf.reverse_sequence(steps, self._lengths, seq_axis=1)

        def gathered() -> Tensor:
            ordered = tf.reverse(steps, axis=[1]) if self._backwards else steps
            t = tf.range(tf.shape(steps)[1])
            # Distinct keys: the steps that count in their order, and then the others.
            order = tf.argsort(tf.where(self._read, t, t + tf.size(t)), axis=1)
            return tf.gather(ordered, order, batch_dims=1)

        result = tf.cond(self._right_padded, padded, gathered)
        result.set_shape(steps.shape)
        return result

    def last(self, states: Tensor, first: Tensor) -> Tensor:
        """The state after the last step that counts, [batch, units].

        Args:
            states: After each packed step, [batch, steps, units].
            first: Before the first, for rows that have none, [batch, units].
        """
        return self._after(states, first, self._lengths[:, None])[:, 0]

    def outputs(self, states: Tensor) -> Tensor:
        """The output at each step in the order of reading, [batch, steps, units].

        Args:
            states: After each packed step, [batch, steps, units].
        """
        nothing = tf.zeros_like(states[:, 0])

        def padded() -> Tensor:
            if self._backwards:
                return tf.reverse(
                    tf.reverse_sequence(
                        tf.where(self._within(states), states, tf.zeros_like(states)),
                        self._lengths,
                        seq_axis=1,
                    ),
                    axis=[1],
                )
            held = tf.zeros_like(states)
            if not self._zero_output:
                held += self.last(states, nothing)[:, None]
            return tf.where(self._within(states), states, held)

        def gathered() -> Tensor:
            count = tf.cumsum(tf.cast(self._read, tf.int32), axis=1)
            found = self._after(states, nothing, count)
            if self._zero_output:
                found = tf.where(self._read[:, :, None], found, tf.zeros_like(found))
            return found

        result = tf.cond(self._right_padded, padded, gathered)
        result.set_shape(states.shape)
        return result

    def last_output(self, states: Tensor) -> Tensor:
        """The output at the step that is read last, [batch, units]."""
        found = self.last(states, tf.zeros_like(states[:, 0]))
        if self._zero_output:
            found = tf.where(self._read[:, -1:], found, tf.zeros_like(found))
        return found

    def _within(self, states: Tensor) -> Tensor:
        t = tf.range(tf.shape(states)[1])
        return (t[None, :] < self._lengths[:, None])[:, :, None]

    @staticmethod
    def _after(states: Tensor, first: Tensor, count: Tensor) -> Tensor:
        """The states after `count` steps, int [batch, n]: [batch, n, units]; `first` after none."""
        found = tf.gather(states, tf.maximum(count - 1, 0), batch_dims=1)
        return tf.where((count > 0)[:, :, None], found, first[:, None])
