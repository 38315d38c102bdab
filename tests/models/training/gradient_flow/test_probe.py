"""Measured norms against the NumPy reference, and against loops over the steps."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.cells.registry import recurrent_layer
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.reference.bptt import bptt
from models.reference.elman import ElmanWeights
from models.training.gradient_flow.probe import FlowProbe, has_states
from models.training.losses import LabelLoss
from models.windows.spec import WindowSpec
from tests.stores import make_store, scaling_of


def series(lookback):
    """Two waves in different units."""
    t = np.arange(200)
    noise = np.random.default_rng(1).normal(size=(200, 2))
    values = np.stack([np.sin(t / 4), 500 + 40 * np.cos(t / 6)], axis=1) + noise * [0.1, 4.0]
    return make_store([("", 0, values)], WindowSpec(lookback=lookback, horizon=3), (160, 180, 200))


def network_of(store, **model):
    return build_forecaster(
        spec=store.spec,
        roles=store.roles,
        model=ModelConfig(**model),
        scaling=scaling_of(store),
        frequency="h",
        seed=4,
    )


def probe_of(store, network, windows=7):
    batch = store.view("train").take(np.arange(windows) * 11).gather()
    labels = {name: batch.labels[..., i] for i, name in enumerate(store.roles.targets)}
    loss = LabelLoss("mse", scaling_of(store), store.roles.targets)
    return FlowProbe(network, batch.past, labels, loss), batch


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_of_an_elman_network_the_norms_are_those_of_bptt_in_numpy(activation):
    store = series(lookback=12)
    network = network_of(store, cell="simple_rnn", units=(6,), activation=activation)
    probe, batch = probe_of(store, network)
    names, moments = store.roles.targets, [scaling_of(store)[t] for t in store.roles.targets]
    x = np.stack([(batch.past[n] - m.mean) / m.scale for n, m in zip(names, moments, strict=True)])
    d = (batch.labels - [m.mean for m in moments]) / [m.scale for m in moments]
    windows, outputs = len(batch.time), d[0].size
    desired, w = np.zeros((windows, 12, outputs)), np.zeros((windows, 12))
    desired[:, -1], w[:, -1] = d.reshape(windows, outputs), 1 / d.size  # an error at the end alone
    weights = ElmanWeights(
        *network.get_layer("elman_recurrent_0").get_weights(),
        *network.get_layer("elman_head").get_weights()[:2],
    )
    found = bptt(weights, np.moveaxis(x, 0, -1), desired, activation=activation, w=w).s
    want = np.sqrt((found**2).sum(axis=(0, 2)))[::-1]
    got = probe.measure(9)
    assert got.epoch == 9
    assert list(got.norms) == ["elman_recurrent_0"]
    np.testing.assert_allclose(got.norms["elman_recurrent_0"], want, rtol=1e-5)


def by_loop(layers, head, x, d):
    """Norms of a stack of one-way layers, from a tape over a loop that is written out."""
    states = [[] for _ in layers]
    with tf.GradientTape() as tape:
        tape.watch(x)
        below = tf.unstack(x, axis=1)
        for found, layer in zip(states, layers, strict=True):
            state = layer.cell.get_initial_state(batch_size=len(x))
            for step in below:
                _, state = layer.cell(step, state)
                # An LSTM's output follows from its cell: as carried on, the two are apart.
                state = [tf.identity(part) for part in state]
                found.append(state)
            below = [state[0] for state in found]
        loss = tf.reduce_mean(tf.square(head(below[-1]) - d))
    return [
        [
            float(tf.sqrt(sum(tf.reduce_sum(tf.square(g)) for g in gradients if g is not None)))
            for gradients in reversed(found)
        ]
        for found in tape.gradient(loss, states)
    ]


def mean_square(labels, outputs):
    error = tf.square(outputs["y"] - labels["y"])
    return tf.reduce_sum(error), tf.cast(tf.size(error), tf.float32)


@pytest.mark.parametrize("cells", [("second_order",), ("gru", "lstm")])
def test_of_any_cell_the_norms_are_those_of_a_loop(cells):
    """Dropout in training does not touch them."""
    rng = np.random.default_rng(2)
    x, d = (tf.constant(rng.normal(size=s), tf.float32) for s in ((5, 8, 3), (5, 2)))
    given = value = keras.Input((8, 3), name="x")
    layers = [
        recurrent_layer(
            cell,
            4,
            return_sequences=i < len(cells) - 1,
            dropout=0.3,
            recurrent_dropout=0.3,
            seed=i,
            name=f"r{i}",
        )
        for i, cell in enumerate(cells)
    ]
    for layer in layers:
        value = layer(value)
    head = keras.layers.Dense(2)
    network = keras.Model({"x": given}, {"y": head(value)})
    before = [v.numpy().copy() for v in network.variables]
    got = FlowProbe(network, {"x": x}, {"y": d}, mean_square).measure(1)
    for now, then in zip(network.variables, before, strict=True):
        np.testing.assert_array_equal(now.numpy(), then)  # draws of dropout are variables, too
    for layer in layers:
        layer.cell.dropout = layer.cell.recurrent_dropout = 0.0
    for name, want in zip(("r0", "r1"), by_loop(layers, head, x, d), strict=False):
        np.testing.assert_allclose(got.norms[name], want, rtol=1e-4)


def test_the_backward_direction_counts_lags_from_the_first_step_of_the_window():
    rng = np.random.default_rng(2)
    x, d = (tf.constant(rng.normal(size=s), tf.float32) for s in ((5, 6, 3), (5, 2)))
    given = keras.Input((6, 3), name="x")
    options = {"return_sequences": False, "seed": 1, "name": "r"}
    both = recurrent_layer("gru", 4, bidirectional=True, **options)
    head = keras.layers.Dense(2)
    network = keras.Model({"x": given}, {"y": head(both(given))})
    got = FlowProbe(network, {"x": x}, {"y": d}, mean_square).measure(1).norms
    assert list(got) == ["r", "r backward"]
    # The other direction's share of the output is a constant to this one.
    last = {w.name: w(x) for w in (both.forward_layer, both.backward_layer)}
    for name, way, other, mine in (
        ("r", both.forward_layer, both.backward_layer, slice(0, 4)),
        ("r backward", both.backward_layer, both.forward_layer, slice(4, 8)),
    ):
        rest = last[other.name] @ head.kernel[slice(4, 8) if mine.start == 0 else slice(0, 4)]
        order = x if way is both.forward_layer else tf.reverse(x, axis=[1])
        part = lambda h, mine=mine, rest=rest: h @ head.kernel[mine] + rest + head.bias  # noqa: E731
        np.testing.assert_allclose(got[name], by_loop([way], part, order, d)[0], rtol=1e-4)


def test_padding_has_no_lag():
    """A padded batch gives the root of the summed squares of its sequences alone."""
    lengths = [5, 2]
    x = np.random.default_rng(3).normal(size=(2, 5, 2)).astype(np.float32) + 2
    d = np.random.default_rng(4).normal(size=(2, 1)).astype(np.float32)
    x[1, 2:] = 0.0
    below = recurrent_layer(
        "simple_rnn", 3, return_sequences=True, seed=1, name="a", bidirectional=True
    )
    top, head = keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)

    def norms(rows, steps):
        given = keras.Input((steps, 2), name="x")
        # Alone, no step is padding; together, the average is over the steps that are not.
        masked = keras.layers.Masking()(given) if len(rows) > 1 else given
        network = keras.Model({"x": given}, {"y": head(top(below(masked)))})
        batch = {"x": x[rows, :steps]}, {"y": d[rows]}
        return FlowProbe(network, *batch, summed_square).measure(1).norms

    alone = [norms([row], steps) for row, steps in enumerate(lengths)]
    together = norms([0, 1], 5)
    assert list(together) == ["a", "a backward"]
    for name, found in together.items():
        squares = np.zeros(5)
        for one, steps in zip(alone, lengths, strict=True):
            squares[:steps] += np.square(one[name])
        np.testing.assert_allclose(found, np.sqrt(squares), rtol=1e-4)


def summed_square(labels, outputs):
    return tf.reduce_sum(tf.square(outputs["y"] - labels["y"])), tf.constant(1.0)


def test_small_recurrent_weights_vanish_and_open_forget_gates_do_not():
    """The same windows and horizon for a SimpleRNN and an LSTM."""
    store = series(lookback=40)
    simple, lstm = (network_of(store, cell=cell, units=(8,)) for cell in ("simple_rnn", "lstm"))
    W_x, W_s, b = simple.get_layer("elman_recurrent_0").get_weights()
    simple.get_layer("elman_recurrent_0").set_weights([W_x, 0.3 * W_s, b])
    kernel, recurrent, bias = lstm.get_layer("elman_recurrent_0").get_weights()
    bias[8:16] = 6.0  # input, forget, cell, output
    lstm.get_layer("elman_recurrent_0").set_weights([kernel, recurrent, bias])
    vanished = probe_of(store, simple)[0].measure(1)
    kept = probe_of(store, lstm)[0].measure(1)
    # The largest singular value is 0.3, and no slope of tanh is above 1.
    assert vanished.reach <= np.ceil(np.log(0.01) / np.log(0.3))
    norms = np.array(vanished.norms["elman_recurrent_0"])
    assert (norms[1:] <= 0.3 * norms[:-1] * (1 + 1e-5) + 1e-30).all()
    assert "gradients vanish" in str(vanished.vanishing())
    assert kept.reach == 40
    assert kept.vanishing() is None
    assert kept.exploding() is None


def test_large_recurrent_weights_explode():
    store = series(lookback=20)
    network = network_of(store, cell="simple_rnn", units=(8,), activation="relu")
    W_x, W_s, b = network.get_layer("elman_recurrent_0").get_weights()
    network.get_layer("elman_recurrent_0").set_weights([W_x, 2.0 * np.abs(W_s), b])
    assert "gradients explode" in str(probe_of(store, network)[0].measure(1).exploding())


def test_it_measures_in_float32_what_is_trained_in_16_bits():
    store = series(lookback=10)
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        network = network_of(store, cell="lstm", units=(4,))
        got = probe_of(store, network)[0].measure(1)
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy(before)
    whole = network_of(store, cell="lstm", units=(4,))
    whole.set_weights(network.get_weights())
    want = probe_of(store, whole)[0].measure(1)
    np.testing.assert_array_equal(got.norms["elman_recurrent_0"], want.norms["elman_recurrent_0"])


def test_a_network_without_states_has_nothing_to_probe():
    given = keras.Input((3,))
    assert not has_states(keras.Model(given, keras.layers.Dense(1)(given)))
    steps = keras.Input((3, 1))
    assert has_states(keras.Model(steps, keras.layers.Bidirectional(keras.layers.GRU(2))(steps)))
