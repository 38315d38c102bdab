"""The second-order cell against its equations, and as a layer among Keras' own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cells.registry import recurrent_layer
from models.cells.second_order import SecondOrder
from models.export.portable import portable_copy


def built(inputs, units, seed=0, **options):
    """A layer whose every weight is away from zero."""
    layer = SecondOrder(units, **options)
    layer.build((None, None, inputs))
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(scale=0.6, size=w.shape) for w in layer.get_weights()])
    return layer


def by_tensor(layer, x, g):
    """States from the whole tensor W[i, j, k] of Giles et al., step by step and term by term."""
    w = {v.name: v.numpy().astype(np.float64) for v in layer.weights}
    tensor = np.einsum(
        "kf,jf,fi->ijk", w["factor_kernel"], w["recurrent_kernel"], w["factor_output"]
    )
    first_order = np.einsum(
        "f,jf,fi->ij", w["factor_bias"], w["recurrent_kernel"], w["factor_output"]
    )
    s, states = np.zeros(len(w["bias"])), []
    for x_t in x.astype(np.float64):
        second = np.array([s @ tensor[i] @ x_t for i in range(len(s))])
        s = g(second + first_order @ s + x_t @ w["kernel"] + w["bias"])
        states.append(s)
    return np.array(states)


G = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
}


@settings(max_examples=15)
@given(
    inputs=st.integers(1, 4),
    units=st.integers(1, 5),
    steps=st.integers(1, 6),
    activation=st.sampled_from(sorted(G)),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_is_a_second_order_network(inputs, units, steps, activation, seed):
    x = np.random.default_rng(seed).normal(size=(2, steps, inputs)).astype(np.float32)
    layer = built(inputs, units, seed, activation=activation, return_sequences=True, unroll=True)
    want = np.stack([by_tensor(layer, row, G[activation]) for row in x])
    np.testing.assert_allclose(layer(x), want, rtol=1e-4, atol=1e-5 * max(1.0, np.abs(want).max()))


def test_one_unit_counts_the_parity_of_a_string():
    """The input chooses whether the state keeps its sign: no sum of terms in s and x does that."""
    layer = SecondOrder(1, return_sequences=True)
    layer.build((None, None, 3))
    start, zero, one = np.eye(3, dtype=np.float32)
    sign = np.array([[0.0], [1.0], [-1.0]])
    big = np.full((1, 1), 5.0)
    layer.set_weights([5 * start[:, None], big, np.zeros(1), sign, np.zeros(1), np.ones((1, 1))])
    bits = np.random.default_rng(0).integers(2, size=(20, 30))
    x = np.concatenate([np.broadcast_to(start, (20, 1, 3)), np.stack([zero, one])[bits]], axis=1)
    even = layer(x).numpy()[:, 1:, 0] > 0
    np.testing.assert_array_equal(even, bits.cumsum(axis=1) % 2 == 0)


def test_where_the_input_is_zero_it_starts_as_a_simple_cell_with_an_orthogonal_kernel():
    layer = recurrent_layer(
        "second_order", 6, activation="relu", return_sequences=True, seed=3, name="r"
    )
    state = np.random.default_rng(1).normal(size=(1, 6)).astype(np.float32)
    layer.build((None, None, 2))
    _, W_fs, _, _, _, W_sf = layer.get_weights()
    after, _ = layer.cell(np.zeros((1, 2), np.float32), state)
    np.testing.assert_allclose(after, np.maximum(state @ W_fs @ W_sf, 0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.linalg.svd(W_fs @ W_sf)[1], 1.0, rtol=1e-5)


def test_no_two_matrices_start_equal():
    layer = recurrent_layer("second_order", 3, return_sequences=False, seed=3, name="r")
    layer.build((None, None, 3))
    W_x, W_fs, _, W_fx, b_f, W_sf = layer.get_weights()
    assert not np.allclose(W_x, W_fx)
    assert not np.allclose(W_fs, W_sf)
    np.testing.assert_array_equal(b_f, 1.0)


def test_dropout_is_on_in_training_only_and_one_mask_serves_all_steps():
    layer = SecondOrder(8, activation="relu", return_sequences=True, seed=1, dropout=0.5)
    layer.build((None, None, 4))
    W_x, *rest, _ = layer.get_weights()
    layer.set_weights([W_x, *rest, np.zeros((8, 8))])  # no state before: a step is relu(x W_x)
    x = np.ones((3, 6, 4), np.float32)
    plain = layer(x).numpy()
    np.testing.assert_allclose(plain, np.maximum(x @ W_x, 0), rtol=1e-5)
    first, second = (layer(x, training=True).numpy() for _ in range(2))
    for found in (first, second):
        np.testing.assert_array_equal(found, np.repeat(found[:, :1], 6, axis=1))
    assert len({first.tobytes(), second.tobytes(), plain.tobytes()}) == 3


def test_recurrent_dropout_takes_whole_units_of_the_state():
    layer = SecondOrder(64, activation="relu", return_sequences=True, seed=1, recurrent_dropout=0.5)
    layer.build((None, None, 1))
    zeros, eye = np.zeros((1, 64)), np.eye(64)
    layer.set_weights([zeros, eye, np.ones(64), zeros, np.ones(64), eye])  # s_t = s_{t-1} + 1
    x = np.zeros((2, 5, 1), np.float32)
    np.testing.assert_array_equal(layer(x)[0, :, 0], [1, 2, 3, 4, 5])
    found = layer(x, training=True).numpy()
    kept = found[:, -1] > 1
    assert 0.2 < kept.mean() < 0.8
    # What is kept is doubled, at every step: s_t = 2 s_{t-1} + 1; what is dropped stays at 1.
    np.testing.assert_array_equal(found[:, 3], np.where(kept, 15.0, 1.0))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_saved_and_copied_it_gives_the_same(tmp_path, bidirectional):
    steps = keras.Input((5, 3))
    middle = recurrent_layer(
        "second_order",
        4,
        return_sequences=True,
        dropout=0.2,
        recurrent_dropout=0.1,
        seed=5,
        name="first",
        bidirectional=bidirectional,
    )(steps)
    last = recurrent_layer("second_order", 3, return_sequences=False, seed=6, name="second")
    model = keras.Model(steps, last(middle))
    x = np.random.default_rng(2).normal(size=(6, 5, 3)).astype(np.float32)
    want = model(x).numpy()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x), want)
    assert loaded.get_layer("second").get_config() == last.get_config()
    np.testing.assert_array_equal(portable_copy(model)(x), want)


def test_backwards_it_reads_the_reversed_sequence():
    x = np.random.default_rng(3).normal(size=(2, 5, 3)).astype(np.float32)
    ahead = built(3, 4, return_sequences=True)
    back = built(3, 4, return_sequences=True, go_backwards=True)
    np.testing.assert_array_equal(back(x), ahead(x[:, ::-1]))


def test_mixed_precision_computes_in_16_bits_and_keeps_weights_in_32():
    layer = SecondOrder(4, dtype="mixed_bfloat16")
    out = layer(tf.ones((2, 3, 2)))
    assert out.dtype == tf.bfloat16
    assert {w.dtype for w in layer.weights} == {"float32"}
