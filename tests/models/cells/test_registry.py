from __future__ import annotations

import numpy as np
import pytest

from models.cells.registry import CELLS, cudnn_obstacles, recurrent_layer
from models.errors import BadInputError
from models.network.config import ModelConfig

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


def test_initial_weights_are_orthogonal_and_the_forget_gate_is_open():
    layer = recurrent_layer("lstm", 4, return_sequences=False, seed=1, name="r")
    layer(STEPS)
    _, recurrent, bias = layer.get_weights()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(4), atol=1e-5)
    np.testing.assert_array_equal(bias, np.repeat([0.0, 1.0, 0.0, 0.0], 4))


def test_an_unknown_cell_is_refused():
    with pytest.raises(BadInputError, match="mgu"):
        recurrent_layer("mgu", 4, return_sequences=False, seed=1, name="r")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, []),
        ({"cell": "gru", "dropout": 0.3, "bidirectional": True}, []),
        ({"cell": "simple_rnn"}, ["simple_rnn"]),
        ({"activation": "relu", "recurrent_dropout": 0.1}, ["relu", "recurrent_dropout"]),
    ],
)
def test_obstacles_to_cudnn_are_named(config, words):
    obstacles = cudnn_obstacles(ModelConfig(**config))
    assert len(obstacles) == len(words)
    assert all(word in text for word, text in zip(words, obstacles, strict=True))
