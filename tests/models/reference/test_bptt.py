"""The NumPy reference against Keras, and both against finite differences."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.reference.bptt import bptt
from models.reference.elman import ElmanWeights, forward

NAMES = tuple(f.name for f in fields(ElmanWeights))
ACTIVATIONS = ("tanh", "sigmoid", "relu")
ERRORS = ("squared", "cross_entropy")


@dataclass(frozen=True)
class Case:
    """A network with sequences, weights of the steps' errors and a first state; float64."""

    weights: ElmanWeights
    x: Any
    d: Any
    s_0: Any
    w: Any
    activation: str
    error: str

    @property
    def options(self) -> dict[str, Any]:
        return {"activation": self.activation, "error": self.error, "s_0": self.s_0}


def make(batch, steps, inputs, units, outputs, activation, error, seed) -> Case:
    rng = np.random.default_rng(seed)

    def normal(*shape, scale=1.0):
        return rng.normal(scale=scale, size=shape)

    if error == "squared":
        d = normal(batch, steps, outputs)
    else:
        d = np.eye(outputs)[rng.integers(outputs, size=(batch, steps))]
    return Case(
        weights=ElmanWeights(
            W_x=normal(inputs, units),
            W_s=normal(units, units, scale=1.2 / np.sqrt(units)),
            b=normal(units, scale=0.3),
            W_y=normal(units, outputs),
            b_y=normal(outputs, scale=0.3),
        ),
        x=normal(batch, steps, inputs),
        d=d,
        s_0=normal(batch, units, scale=0.5),
        w=rng.random((batch, steps)) * (rng.random((batch, steps)) > 0.2),
        activation=activation,
        error=error,
    )


sizes = st.integers(1, 5)
cases = st.builds(
    make,
    batch=st.integers(1, 4),
    steps=st.integers(1, 9),
    inputs=sizes,
    units=sizes,
    outputs=sizes,
    activation=st.sampled_from(ACTIVATIONS),
    error=st.sampled_from(ERRORS),
    seed=st.integers(0, 2**32 - 1),
)


def of_keras(case: Case, dtype: str, k: int | None = None) -> tuple[float, list[Any], list[Any]]:
    """Error, gradients in the order of `NAMES`, and states, of SimpleRNN and Dense.

    Chunk by chunk where `k` is given, each with a tape of its own: the gradients are summed.
    """
    w = case.weights
    rnn = keras.layers.SimpleRNN(
        len(w.b),
        case.activation,
        return_sequences=True,
        return_state=True,
        dtype=dtype,
        unroll=dtype == "float64",  # faster for a few steps that are run once
    )
    dense = keras.layers.Dense(len(w.b_y), dtype=dtype)
    rnn.build(case.x.shape)
    dense.build((*case.x.shape[:2], len(w.b)))
    rnn.set_weights([w.W_x, w.W_s, w.b])
    dense.set_weights([w.W_y, w.b_y])
    variables = [*rnn.trainable_variables, *dense.trainable_variables]
    total, sums, states = 0.0, [np.zeros(v.shape) for v in variables], []
    state = tf.constant(case.s_0, dtype)
    length = case.x.shape[1] if k is None else k
    for start in range(0, case.x.shape[1], length):
        part = slice(start, start + length)
        x, d, counts = (tf.constant(v[:, part], dtype) for v in (case.x, case.d, case.w))
        with tf.GradientTape() as tape:
            steps, state = rnn(x, initial_state=[tf.stop_gradient(state)])
            z = dense(steps)
            if case.error == "squared":
                by_step = tf.reduce_sum(tf.square(z - d), axis=-1)
            else:
                by_step = tf.nn.softmax_cross_entropy_with_logits(d, z)
            loss = tf.reduce_sum(counts * by_step)
        total += float(loss)
        gradients = tape.gradient(loss, [v.value for v in variables])
        sums = [a + g.numpy() for a, g in zip(sums, gradients, strict=True)]
        states.append(steps.numpy())
    return total, sums, np.concatenate(states, axis=1)


def assert_close(got: Any, want: Any, relative: float) -> None:
    """Differences are below `relative` of the largest element."""
    scale = max(np.abs(want).max(), 1e-12)
    np.testing.assert_allclose(got / scale, want / scale, rtol=0, atol=relative)


def assert_agrees(case: Case, dtype: str, relative: float, k: int | None = None) -> None:
    ours = bptt(case.weights, case.x, case.d, w=case.w, k=k, **case.options)
    error, gradients, states = of_keras(case, dtype, k)
    np.testing.assert_allclose(ours.E, error, rtol=relative, atol=1e-9)
    for name, want in zip(NAMES, gradients, strict=True):
        assert_close(getattr(ours.weights, name), want, relative)
    assert_close(forward(case.weights, case.x, **case.options).s[:, 1:], states, relative)


@settings(max_examples=15)
@given(case=cases)
def test_keras_gives_the_same_gradient(case):
    assert_agrees(case, "float64", 1e-10)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("error", ERRORS)
def test_keras_in_float32_gives_it_to_five_digits(activation, error):
    assert_agrees(make(8, 20, 3, 16, 4, activation, error, seed=1), "float32", 1e-5)


@settings(max_examples=12)
@given(case=cases, k=st.integers(1, 10))
def test_truncated_it_is_the_sum_of_kerass_chunks_from_carried_states(case, k):
    assert_agrees(case, "float64", 1e-10, k)


def differences(function: Any, at: Any) -> Any:
    """Central differences of a scalar function by every element of `at`."""
    result = np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        step = np.zeros(at.shape)
        step[index] = 1e-6
        result[index] = (function(at + step) - function(at - step)) / 2e-6
    return result


def away_from_the_kink(case: Case) -> bool:
    """Whether a step of 1e-6 in a weight moves no unit of a relu through zero."""
    w, s = case.weights, forward(case.weights, case.x, **case.options).s
    a = case.x @ w.W_x + s[:, :-1] @ w.W_s + w.b
    return case.activation != "relu" or bool(np.abs(a).min() > 1e-4)


small = st.builds(
    make,
    batch=st.integers(1, 2),
    steps=st.integers(1, 6),
    inputs=st.integers(1, 2),
    units=st.integers(1, 3),
    outputs=st.integers(1, 3),
    activation=st.sampled_from(ACTIVATIONS),
    error=st.sampled_from(ERRORS),
    seed=st.integers(0, 2**32 - 1),
).filter(away_from_the_kink)


def error_of_chunks(case: Case, weights: ElmanWeights, k: int) -> float:
    """E where every chunk starts from the state that `case.weights`, not `weights`, lead to."""
    s = forward(case.weights, case.x, **case.options).s
    total = 0.0
    for start in range(0, case.x.shape[1], k):
        part = slice(start, start + k)
        options = {**case.options, "s_0": s[:, start]}
        total += bptt(weights, case.x[:, part], case.d[:, part], w=case.w[:, part], **options).E
    return total


@settings(max_examples=12)
@given(case=small, k=st.one_of(st.none(), st.integers(1, 6)))
def test_finite_differences_give_the_same_gradient(case, k):
    ours = bptt(case.weights, case.x, case.d, w=case.w, k=k, **case.options)
    length = case.x.shape[1] if k is None else k
    theirs = of_keras(case, "float64", k)[1]
    for name, keras_gradient in zip(NAMES, theirs, strict=True):
        want = differences(
            lambda v, n=name: error_of_chunks(case, replace(case.weights, **{n: v}), length),
            getattr(case.weights, name),
        )
        scale = max(1.0, np.abs(want).max())
        np.testing.assert_allclose(getattr(ours.weights, name), want, atol=1e-6 * scale)
        np.testing.assert_allclose(keras_gradient, want, atol=1e-6 * scale)


@settings(max_examples=25)
@given(case=small, t=st.integers(1, 6))
def test_the_gradient_by_a_state_is_what_moving_that_state_does(case, t):
    """s_t is moved by hand; everything after it follows, nothing before it does."""
    t = min(t, case.x.shape[1])
    s_t = forward(case.weights, case.x, **case.options).s[:, t]

    def error_from(state: Any) -> float:
        own = replace(case, s_0=state)
        rest = bptt(case.weights, case.x[:, t:], case.d[:, t:], w=case.w[:, t:], **own.options).E
        w = case.weights
        z = state @ w.W_y + w.b_y
        d, counts = case.d[:, t - 1], case.w[:, t - 1]
        if case.error == "squared":
            here = ((z - d) ** 2).sum(axis=-1)
        else:
            here = np.log(np.exp(z).sum(axis=-1)) - (z * d).sum(axis=-1)
        return rest + float((counts * here).sum())

    ours = bptt(case.weights, case.x, case.d, w=case.w, **case.options).s[:, t - 1]
    want = differences(error_from, s_t)
    np.testing.assert_allclose(ours, want, atol=1e-6 * max(1.0, np.abs(want).max()))


@settings(max_examples=30)
@given(case=cases, more=st.integers(0, 3))
def test_chunks_as_long_as_the_sequence_are_full_bptt(case, more):
    full = bptt(case.weights, case.x, case.d, w=case.w, **case.options)
    cut = bptt(case.weights, case.x, case.d, w=case.w, k=case.x.shape[1] + more, **case.options)
    assert full.E == cut.E
    np.testing.assert_array_equal(full.s, cut.s)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(full.weights, name), getattr(cut.weights, name))


def test_truncation_loses_what_lies_before_the_chunk():
    case = make(2, 8, 2, 3, 2, "tanh", "squared", seed=5)
    last = np.zeros((2, 8))
    last[:, -1] = 1.0
    full = bptt(case.weights, case.x, case.d, w=last, **case.options)
    cut = bptt(case.weights, case.x, case.d, w=last, k=3, **case.options)
    reached = np.abs(cut.s).max(axis=(0, 2)) > 0
    # Chunks are steps 1-3, 4-6 and 7-8: the error of step 8 stays in the last.
    np.testing.assert_array_equal(reached, [False] * 6 + [True] * 2)
    np.testing.assert_array_equal(cut.s[:, 6:], full.s[:, 6:])
    assert np.abs(full.s).max(axis=(0, 2)).min() > 0
    assert np.abs(full.weights.W_s - cut.weights.W_s).max() > 1e-3
    np.testing.assert_array_equal(full.weights.W_y, cut.weights.W_y)


def test_a_chunk_has_a_length():
    case = make(1, 3, 1, 1, 1, "tanh", "squared", seed=0)
    with pytest.raises(ValueError, match="at least 1 step, got 0"):
        bptt(case.weights, case.x, case.d, k=0)
