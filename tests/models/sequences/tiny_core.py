"""A small core with weights of its own, and the same in plain NumPy, step by step."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.sequences.core import SequenceCore


class TinyCore(SequenceCore):
    """An Elman network without a library: h = tanh(x W + h R), logits = h O + b."""

    def __init__(self, store, *, units=4, seed=0, steps=True):
        super().__init__()
        rng = np.random.default_rng(seed)
        spec = store.spec
        self._whole = spec.task == "classify"
        self._steps, self._units = steps, units
        # Units of numbers may be large; a network would normalise them.
        self._w = tf.Variable(
            rng.normal(0, 0.05, (len(spec.inputs.numbers), units)), dtype="float32"
        )
        self._embeddings = [
            tf.Variable(rng.normal(size=(len(store.vocabularies[c]) + 2, units)), dtype="float32")
            for c in spec.inputs.tokens
        ]
        self._r = tf.Variable(rng.normal(size=(units, units)), dtype="float32")
        self._o = tf.Variable(rng.normal(size=(units, len(store.classes))), dtype="float32")
        self._b = tf.constant(rng.normal(size=len(store.classes)), tf.float32)

    def __call__(self, numbers, tokens, length):
        steps = tf.shape(numbers)[1]
        state = tf.zeros([tf.shape(numbers)[0], self._units])
        states = tf.TensorArray(tf.float32, size=steps)

        def body(t, state, states):
            new = self._next(numbers[:, t], tuple(ids[:, t] for ids in tokens), state)
            state = tf.where((t < length)[:, None], new, state)
            return t + 1, state, states.write(t, state)

        _, state, states = tf.while_loop(
            lambda t, *_: t < steps, body, (tf.constant(0), state, states)
        )
        if self._whole:
            return state @ self._o + self._b
        return tf.transpose(states.stack(), [1, 0, 2]) @ self._o + self._b

    def stepper(self):
        return self if self._steps else super().stepper()

    @property
    def state(self):
        return {"state_h": (self._units,)}

    def init(self, rows):
        return {"state_h": tf.zeros([rows, self._units])}

    def step(self, numbers, tokens, state):
        new = self._next(numbers, tokens, state["state_h"])
        return new @ self._o + self._b, {"state_h": new}

    def _next(self, numbers, tokens, state):
        drive = numbers @ self._w + state @ self._r
        for table, ids in zip(self._embeddings, tokens, strict=True):
            drive += tf.gather(table, ids)
        return tf.tanh(drive)

    def reference(self, numbers, tokens):
        """Probabilities [steps, classes] of one sequence, or [classes] for classify."""
        state = np.zeros(self._units)
        logits = []
        for t in range(len(numbers)):
            drive = numbers[t] @ self._w.numpy() + state @ self._r.numpy()
            for table, ids in zip(self._embeddings, tokens, strict=True):
                drive = drive + table.numpy()[ids[t]]
            state = np.tanh(drive)
            logits.append(state @ self._o.numpy() + self._b.numpy())
        odds = np.exp(np.asarray(logits) - np.max(logits, axis=-1, keepdims=True))
        probabilities = odds / odds.sum(axis=-1, keepdims=True)
        return probabilities[-1] if self._whole else probabilities
