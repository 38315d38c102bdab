"""Kernels give what Keras' own loops give: outputs, states and every gradient."""

from __future__ import annotations

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.numpy import arrays

from models.cells import layers
from models.cells.fused import choice

KINDS = ("SimpleRNN", "LSTM", "GRU")


@st.composite
def works(draw):
    rows, steps = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    masks = {
        "none": st.none(),
        "right": st.lists(st.integers(0, steps), min_size=rows, max_size=rows).map(
            lambda lengths: np.arange(steps)[None] < np.array(lengths)[:, None]
        ),
        "any": arrays(bool, (rows, steps)),
    }
    kind = draw(st.sampled_from(KINDS))
    return {
        "kind": kind,
        "shape": (rows, steps, draw(st.integers(1, 4))),
        "mask": draw(masks[draw(st.sampled_from(sorted(masks)))]),
        "initial": draw(st.booleans()),
        "shards": draw(st.integers(1, 3)),
        "looped": draw(st.booleans()),
        # The programs of a draw take a second.
        "compiled": draw(st.sampled_from(["never"] * 5 + ["known", "always"])),
        "block": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**20)),
        "layer": {
            "units": draw(st.integers(1, 5)),
            "activation": draw(st.sampled_from(["tanh", "sigmoid", "relu", "linear"])),
            "use_bias": draw(st.booleans()),
            "return_sequences": draw(st.booleans()),
            "go_backwards": draw(st.booleans()),
            "zero_output_for_mask": draw(st.booleans()),
            "dtype": draw(st.sampled_from(["float32", "float64"])),
        },
    }


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(work=works())
def test_outputs_states_and_gradients(work, monkeypatch):
    monkeypatch.setattr(choice, "LONGEST", 0 if work["looped"] else 256)
    monkeypatch.setattr(choice, "BLOCK_UNITS", 128 if work["block"] else 0)
    found = [_everything(module, work) for module in (keras.layers, layers)]
    tolerance = 1e-5 if work["layer"]["dtype"] == "float32" else 1e-12
    for (name, want), (_, got) in zip(*found, strict=True):
        scale = max(1.0, float(np.max(np.abs(want), initial=0.0)))
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * scale, err_msg=name)


def _call(layer, compiled):
    """`layer`, in a graph where XLA may compile it: of any number of steps for `always`."""
    if compiled == "never":
        return layer

    @tf.function
    def call(read, **others):
        if compiled == "always":
            open_ = [*read.shape[:1], None, *read.shape[2:]]
            read = tf.raw_ops.PlaceholderWithDefault(input=read, shape=open_)
        return layer(read, **others)

    return call


def _everything(module, work):
    """Outputs, final states, and the gradients of a sum that weighs all of them differently."""
    rng = np.random.default_rng(work["seed"])
    dtype, units = work["layer"]["dtype"], work["layer"]["units"]
    layer = getattr(module, work["kind"])(return_state=True, **work["layer"])
    layer.build(work["shape"])
    layer.set_weights([rng.normal(size=w.shape) / np.sqrt(units) for w in layer.weights])
    layer.shards, layer.compiled = work["shards"], work["compiled"]
    states = 2 if work["kind"] == "LSTM" else 1
    read = [tf.constant(rng.normal(size=work["shape"]), dtype)]
    if work["initial"]:
        shape = (work["shape"][0], units)
        read += [tf.constant(rng.normal(size=shape), dtype) for _ in range(states)]
    mask = None if work["mask"] is None else tf.constant(work["mask"])
    with tf.GradientTape() as tape:
        tape.watch(read)
        found = _call(layer, work["compiled"])(read[0], initial_state=read[1:] or None, mask=mask)
        weights = [rng.normal(size=value.shape) for value in found]
        total = sum(tf.reduce_sum(v * w) for v, w in zip(found, weights, strict=True))
    variables = list(layer.trainable_variables)
    by_read, by_variables = tape.gradient(total, [read, variables])
    return [
        *((f"output {i}", value.numpy()) for i, value in enumerate(found)),
        *((f"gradient by input {i}", g.numpy()) for i, g in enumerate(by_read)),
        *(
            (f"gradient by {v.name}", g.numpy())
            for v, g in zip(variables, by_variables, strict=True)
        ),
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shards", "looped", "compiled"),
    [(1, True, "never"), (3, False, "never"), (3, False, "known"), (3, False, "always")],
)
def test_gradients_are_differences(kind, shards, looped, compiled, monkeypatch):
    monkeypatch.setattr(choice, "LONGEST", 0 if looped else 256)
    rng = np.random.default_rng(5)
    layer = getattr(layers, kind)(2, return_sequences=True, dtype="float64")
    layer.build((4, 4, 2))
    layer.shards, layer.compiled = shards, compiled
    inputs = tf.constant(rng.normal(size=(4, 4, 2)))
    weigh = tf.constant(rng.normal(size=(4, 4, 2)))
    values = [rng.normal(size=w.shape) for w in layer.weights]

    call = _call(layer, compiled)

    def loss(*values):
        layer.set_weights(values)
        return float(tf.reduce_sum(call(inputs) * weigh))

    layer.set_weights(values)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(call(inputs) * weigh)
    for i, gradient in enumerate(tape.gradient(total, layer.trainable_variables)):
        for place in np.ndindex(*values[i].shape):
            step = np.zeros_like(values[i])
            step[place] = 1e-6
            around = [
                loss(*values[:i], values[i] + sign * step, *values[i + 1 :]) for sign in (1, -1)
            ]
            assert gradient.numpy()[place] == pytest.approx(
                (around[0] - around[1]) / 2e-6, abs=1e-6
            )


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_and_batches_that_are_not_known(kind):
    rng = np.random.default_rng(3)
    ours, theirs = (getattr(module, kind)(4) for module in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build((None, None, 3))
    ours.shards = 2
    theirs.set_weights(ours.get_weights())
    signature = [tf.TensorSpec((None, None, 3)), tf.TensorSpec((None, None), tf.bool)]
    read = tf.function(lambda x, mask: ours(x, mask=mask), input_signature=signature)
    for rows, steps in ((1, 4), (2, 1), (5, 9)):
        x = rng.normal(size=(rows, steps, 3)).astype(np.float32)
        mask = np.arange(steps)[None] < rng.integers(1, steps + 1, rows)[:, None]
        want = theirs(tf.constant(x), mask=tf.constant(mask))
        np.testing.assert_allclose(read(x, mask), want, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_sixteen_bits(kind, policy):
    x = tf.constant(np.random.default_rng(3).normal(size=(4, 6, 3)), tf.float32)
    ours, theirs = (
        getattr(module, kind)(4, dtype=policy, return_sequences=True)
        for module in (layers, keras.layers)
    )
    for layer in (ours, theirs):
        layer.build(x.shape)
    theirs.set_weights(ours.get_weights())
    got, want = ours(x), theirs(x)
    assert got.dtype == want.dtype == policy.removeprefix("mixed_")
    digits = 2e-3 if policy == "mixed_float16" else 2e-2
    np.testing.assert_allclose(tf.cast(got, tf.float32), tf.cast(want, tf.float32), atol=digits)
