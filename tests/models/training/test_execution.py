"""How a training is laid out on a machine changes nothing of what it learns."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from models.cells import layers
from models.training import execution as module
from models.training.clipping import GradientRecord
from models.training.config import TrainConfig
from models.training.execution import ExecutionConfig, execution
from models.training.fitting import Fitting
from models.training.layers import plan_for, tell_layers


def test_each_core_gets_a_part_and_each_operation_one_thread(monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: 4)
    plan = execution(ExecutionConfig(), gpu=False, fusable=True, directions=1)
    assert (plan.shards, plan.intra_op, plan.inter_op) == (4, 1, 4)
    assert plan.steps_per_execution > 1
    assert plan.compiled == "known"


def test_two_directions_share_the_cores(monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: 4)
    assert execution(ExecutionConfig(), gpu=False, fusable=True, directions=2).shards == 2
    monkeypatch.setattr(module, "cores", lambda: 1)
    assert execution(ExecutionConfig(), gpu=False, fusable=True, directions=2).shards == 1


@pytest.mark.parametrize(
    ("config", "gpu", "fusable"),
    [({}, True, True), ({}, False, False), ({"layers": "keras"}, False, True)],
)
def test_threads_are_left_alone_where_operations_have_to_be_shared(config, gpu, fusable):
    plan = execution(ExecutionConfig(**config), gpu=gpu, fusable=fusable, directions=1)
    assert (plan.shards, plan.intra_op, plan.inter_op) == (1, 0, 0)
    assert plan.compiled == "never"


def test_what_is_configured_goes_before_what_the_machine_has():
    config = ExecutionConfig(
        shards=3, compiled="always", steps_per_execution=5, intra_op=2, inter_op=0
    )
    plan = execution(config, gpu=False, fusable=True, directions=1)
    assert (plan.shards, plan.steps_per_execution, plan.intra_op, plan.inter_op) == (3, 5, 2, 0)
    assert plan.compiled == "always"


@pytest.mark.parametrize("wrong", [{"shards": 0}, {"steps_per_execution": -1}, {"intra_op": "all"}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        ExecutionConfig(**wrong)


def test_the_default_changes_no_digest():
    assert "execution" not in TrainConfig().canonical_json()
    assert "execution" in TrainConfig(execution=ExecutionConfig(shards=1)).canonical_json()


def test_layers_are_told_inside_of_others_too():
    inputs = keras.Input((5, 2))
    both = keras.layers.Bidirectional(layers.GRU(3))
    network = keras.Model(inputs, both(inputs))
    config = TrainConfig(execution=ExecutionConfig(shards=3, layers="keras"))
    tell_layers(network, plan_for(network, config, gpu=False))
    for layer in (both.forward_layer, both.backward_layer):
        assert (layer.fused, layer.shards) == (False, 3)


class _Squares:
    """The sum of squares over label cells."""

    def __call__(self, labels, outputs):
        return tf.reduce_sum((outputs - labels) ** 2), tf.cast(tf.size(labels), tf.float32)


def _fitted(steps_per_execution, *, steps=7, epochs=3, rows=4):
    """Weights, losses by epoch and steps counted, with 7 steps in an epoch, all different."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((5, 2))
    network = keras.Model(inputs, keras.layers.Dense(1)(layers.SimpleRNN(3)(inputs)))
    rng = np.random.default_rng(1)
    x = rng.normal(size=(epochs * steps * rows, 5, 2)).astype(np.float32)
    y = rng.normal(size=(len(x), 1)).astype(np.float32)
    record = GradientRecord(None, skips_overflow=False)
    fitting = Fitting(network, _Squares(), record)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(network.trainable_variables)
    fitting.compile(optimizer=optimizer, jit_compile=False, steps_per_execution=steps_per_execution)
    fitting.steps_per_epoch = steps
    validation = tf.data.Dataset.from_tensor_slices((x[:11], y[:11])).batch(rows)
    fitting.validation_steps = int(validation.cardinality())
    counted = []

    class Count(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            record.reset()

        def on_epoch_end(self, epoch, logs=None):
            counted.append(record.summary().steps)

    history = fitting.fit(
        # As `fit_course`: one dataset over all epochs, without an end.
        tf.data.Dataset.from_tensor_slices((x, y)).batch(rows).repeat(),
        epochs=epochs,
        steps_per_epoch=steps,
        validation_data=validation,
        callbacks=[Count()],
        shuffle=False,
        verbose=0,
    )
    losses = history.history["loss"] + history.history["val_loss"]
    return network.get_weights(), losses, counted


@pytest.mark.parametrize("at_once", [2, 7, 16])
def test_epochs_end_where_they_end(at_once):
    want, want_losses, _ = _fitted(1)
    got, losses, counted = _fitted(at_once)
    assert counted == [7, 7, 7]
    np.testing.assert_allclose(losses, want_losses, rtol=1e-6)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
