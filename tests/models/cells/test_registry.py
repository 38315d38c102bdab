from __future__ import annotations

import numpy as np
import pytest

from models.cells.registry import CELLS, cudnn_obstacles, recurrent_layer
from models.errors import BadInputError
from models.network.config import ModelConfig
from models.reference.elman import ElmanWeights, forward

STEPS = np.random.default_rng(3).normal(size=(2, 5, 3)).astype(np.float32)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_shapes_and_seeds(cell, bidirectional):
    def layer(seed, sequences):
        return recurrent_layer(
            cell,
            4,
            return_sequences=sequences,
            seed=seed,
            name="r",
            bidirectional=bidirectional,
        )

    width = 8 if bidirectional else 4
    assert layer(1, False)(STEPS).shape == (2, width)
    assert layer(1, True)(STEPS).shape == (2, 5, width)
    np.testing.assert_array_equal(layer(1, False)(STEPS), layer(1, False)(STEPS))
    assert not np.array_equal(layer(1, False)(STEPS), layer(2, False)(STEPS))


def test_the_two_directions_start_from_different_weights():
    layer = recurrent_layer("gru", 4, return_sequences=False, seed=1, name="r", bidirectional=True)
    layer(STEPS)
    forward, backward = layer.forward_layer.get_weights(), layer.backward_layer.get_weights()
    assert not np.array_equal(forward[0], backward[0])
    assert not np.array_equal(forward[1], backward[1])


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_kernels_start_orthogonal_and_the_forget_gate_open(cell):
    layer = recurrent_layer(cell, 4, return_sequences=False, seed=1, name="r")
    layer(STEPS)
    weights = {w.name: w.numpy() for w in layer.weights}
    for name in {"recurrent_kernel", "factor_output"} & set(weights):
        np.testing.assert_allclose(weights[name] @ weights[name].T, np.eye(4), atol=1e-5)
    limit = np.sqrt(6 / sum(weights["kernel"].shape))  # Glorot and Bengio's, for uniform weights
    assert 0.8 * limit < np.abs(weights["kernel"]).max() <= limit
    open_forget_gate = np.repeat([0.0, 1.0, 0.0, 0.0], 4)
    zeros = np.zeros_like(weights["bias"])
    np.testing.assert_array_equal(weights["bias"], open_forget_gate if cell == "lstm" else zeros)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_an_elman_network_in_numpy_gives_the_same(activation):
    layer = recurrent_layer(
        "simple_rnn", 4, activation=activation, return_sequences=True, seed=1, name="r"
    )
    got = layer(STEPS).numpy()
    weights = ElmanWeights(*layer.get_weights(), W_y=np.zeros((4, 1)), b_y=np.zeros(1))
    want = forward(weights, STEPS, activation=activation).s[:, 1:]
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_an_unknown_cell_is_refused():
    with pytest.raises(BadInputError, match="mgu"):
        recurrent_layer("mgu", 4, return_sequences=False, seed=1, name="r")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, []),
        ({"cell": "gru", "dropout": 0.3, "bidirectional": True}, []),
        ({"cell": "simple_rnn"}, ["simple_rnn"]),
        ({"cell": "second_order"}, ["second_order"]),
        ({"activation": "relu", "recurrent_dropout": 0.1}, ["relu", "recurrent_dropout"]),
    ],
)
def test_obstacles_to_cudnn_are_named(config, words):
    obstacles = cudnn_obstacles(ModelConfig(**config))
    assert len(obstacles) == len(words)
    assert all(word in text for word, text in zip(words, obstacles, strict=True))
