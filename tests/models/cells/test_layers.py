"""Our layers are drop-ins for Keras' SimpleRNN, LSTM and GRU."""

from __future__ import annotations

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.cells import layers
from models.cells.conversion import with_fused_layers, with_keras_layers
from models.cells.fused import choice
from models.export.portable import portable_copy

KINDS = ("SimpleRNN", "LSTM", "GRU")
X = np.random.default_rng(1).normal(size=(4, 6, 3)).astype(np.float32)


def network(module, kind, **kwargs):
    inputs = keras.Input((6, 3))
    both = keras.layers.Bidirectional(getattr(module, kind)(4, return_sequences=True, **kwargs))
    outputs = getattr(module, kind)(3, name="last", **kwargs)(both(inputs))
    return keras.Model(inputs, keras.layers.Dense(1)(outputs))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_names_and_configuration_are_those_of_keras(kind):
    ours, theirs = (getattr(module, kind)(4, name="r") for module in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build(X.shape)
    assert [(w.path, w.shape) for w in ours.weights] == [(w.path, w.shape) for w in theirs.weights]
    assert ours.get_config() == theirs.get_config()


@pytest.mark.parametrize("kind", KINDS)
def test_a_keras_file_of_one_becomes_the_other(kind, tmp_path):
    ours = network(layers, kind)
    want = ours.predict(X, verbose=0)
    ours.save(tmp_path / "ours.keras")
    again = keras.saving.load_model(tmp_path / "ours.keras")
    assert isinstance(again.get_layer("last"), getattr(layers, kind))
    plain = with_keras_layers(again)
    assert type(plain.get_layer("last")) is getattr(keras.layers, kind)
    plain.save(tmp_path / "plain.keras")
    loaded = keras.saving.load_model(tmp_path / "plain.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), want, atol=1e-6)
    back = with_fused_layers(loaded)
    assert isinstance(back.get_layer("last"), getattr(layers, kind))
    inner = next(x for x in back.layers if isinstance(x, keras.layers.Bidirectional))
    assert isinstance(inner.forward_layer, getattr(layers, kind))
    np.testing.assert_allclose(back.predict(X, verbose=0), want, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_goes_from_batch_to_batch(kind):
    found = []
    for module in (layers, keras.layers):
        keras.utils.set_random_seed(3)
        layer = getattr(module, kind)(3, stateful=True)
        inputs = keras.Input(batch_shape=X.shape)
        model = keras.Model(inputs, layer(inputs))
        found.append([model(X).numpy(), model(X).numpy()])
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    assert np.abs(found[0][0] - found[0][1]).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_draws_what_keras_draws(kind):
    found = []
    for module in (layers, keras.layers):
        keras.utils.set_random_seed(3)
        layer = getattr(module, kind)(3, dropout=0.5, seed=11)
        found.append([layer(X, training=True).numpy() for _ in range(2)])
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "kwargs", "why"),
    [
        ("LSTM", {"recurrent_dropout": 0.5}, "recurrent_dropout is 0.5"),
        ("LSTM", {"activation": "softsign"}, "activation is softsign"),
        ("LSTM", {"recurrent_activation": "hard_sigmoid"}, "recurrent_activation is hard_sigmoid"),
        ("GRU", {"reset_after": False}, "reset_after is false"),
        ("GRU", {"implementation": 1}, "implementation is 1"),
        ("SimpleRNN", {"unroll": True}, "unroll is true"),
    ],
)
def test_where_no_kernel_can_keras_does_and_the_log_says_why(kind, kwargs, why, caplog):
    found = []
    with caplog.at_level(logging.INFO, "models.cells.layers"):
        for module in (layers, keras.layers):
            keras.utils.set_random_seed(3)
            layer = getattr(module, kind)(3, seed=11, **kwargs)
            found.append(layer(X, training=True).numpy())
    np.testing.assert_array_equal(*found)
    assert [r for r in caplog.records if why in r.getMessage()]


@pytest.mark.parametrize("compiled", ["never", "known"])
@pytest.mark.parametrize("kind", KINDS)
def test_equal_calls_give_equal_bits(kind, compiled):
    """However the threads that compute the parts are scheduled."""
    layer = getattr(layers, kind)(8)
    layer.build((33, 20, 3))
    layer.shards, layer.compiled = 4, compiled
    x = tf.random.stateless_normal((33, 20, 3), [1, 2])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.sin(layer(x)))
        return tape.gradient(total, layer.trainable_variables)

    first = step()
    for _ in range(5):
        for a, b in zip(first, step(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_needs_no_code_of_ours(kind, tmp_path):
    model = network(layers, kind)
    model.export(tmp_path / "saved", verbose=False)
    custom = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(custom.serve(X), model(X), atol=1e-6)
    graph = next(iter(custom.signatures.values())).graph.as_graph_def()
    ops = {node.op for node in graph.node} | {
        node.op for function in graph.library.function for node in function.node_def
    }
    assert ("BlockLSTMV2" in ops) == (kind == "LSTM")
    assert not ops & {"While", "StatelessWhile", "TensorListReserve", "PyFunc", "EagerPyFunc"}


@pytest.mark.parametrize(
    ("kind", "units", "programs"),
    [("SimpleRNN", 4, 2), ("GRU", 4, 2), ("LSTM", 4, 1), ("LSTM", choice.BLOCK_UNITS + 1, 0)],
)
def test_parts_of_a_batch_share_their_programs(kind, units, programs, monkeypatch):
    compiled = []
    function = tf.function

    def counting(body, **kwargs):
        compiled.extend([body] if kwargs.get("jit_compile") else [])
        return function(body, **kwargs)

    monkeypatch.setattr(tf, "function", counting)
    layer = getattr(layers, kind)(units)
    layer.build(X.shape)
    layer.shards, layer.compiled = 2, "known"

    def step():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(X))
        return tape.gradient(total, layer.trainable_variables)

    function(step)()
    assert len(compiled) == programs


def test_an_export_does_not_ask_for_xla():
    model = network(layers, "GRU")
    model.get_layer("last").compiled = "always"
    assert portable_copy(model).get_layer("last").compiled == "never"
