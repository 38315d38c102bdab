"""Every side reads the same windows and sequences, and starts from the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.cells import data
from benchmarks.cells.sides.elman_data import sequence_store, series_store
from benchmarks.cells.sides.keras_fit import build
from benchmarks.cells.work import TRAINING, Work

SMALL = Work("small", "lstm", 3, 4, 5, 2, 6, 3, turn=3)
MASKED = Work("masked", "lstm", 3, 4, 8, 2, 5, 1, masked=True, turn=3)


def test_elman_trains_on_the_windows_of_the_others(tmp_path: Path) -> None:
    data.write(SMALL, tmp_path)
    series = data.read(tmp_path, data.SERIES)["series"]
    inputs, labels = data.windows(SMALL, series)
    assert inputs.shape == (12, 5, 2)
    for i in range(12):
        np.testing.assert_array_equal(inputs[i], series[i : i + 5])
        np.testing.assert_array_equal(labels[i], series[i + 5 : i + 8].ravel())
    view = series_store(SMALL, tmp_path, tmp_path).view("train")
    assert len(view) == 12
    np.testing.assert_array_equal(view.targets(), inputs)
    np.testing.assert_array_equal(view.labels().reshape(12, -1), labels)


def test_elman_trains_on_the_sequences_of_the_others(tmp_path: Path) -> None:
    data.write(MASKED, tmp_path)
    arrays = data.read(tmp_path, data.SERIES)
    inputs, lengths, labels = data.padded(MASKED, arrays)
    first = 0
    for row, length in zip(inputs, lengths, strict=True):
        np.testing.assert_array_equal(row[:length], arrays["numbers"][first : first + length])
        assert not row[length:].any()
        first += length
    batch = sequence_store(MASKED, tmp_path).view("train").batch()
    np.testing.assert_array_equal(batch.length, lengths)
    np.testing.assert_array_equal(batch.labels, labels)
    longest = int(lengths.max())
    np.testing.assert_array_equal(batch.numbers, inputs[:, :longest])
    assert data.rows_read(MASKED, tmp_path) * MASKED.turn == lengths.sum()


def test_no_real_step_is_what_keras_takes_for_padding(tmp_path: Path) -> None:
    data.write(MASKED, tmp_path)
    assert data.read(tmp_path, data.SERIES)["numbers"].all(axis=1).all()


@pytest.mark.parametrize("work", TRAINING, ids=lambda w: w.name)
def test_the_parameters_are_those_of_keras(work: Work) -> None:
    weights = data.weights(work, np.random.default_rng(0))
    model = build(work, weights)
    assert model.count_params() == work.parameters == sum(w.size for w in weights)


@pytest.mark.parametrize(
    ("cell", "gates", "biases"), [("lstm", 4, 2), ("gru", 3, 2), ("simple_rnn", 1, 2)]
)
def test_the_parameters_of_pytorch_have_a_bias_at_either_product(
    cell: Any, gates: int, biases: int
) -> None:
    work = Work("w", cell, 5, 1, features=3, outputs=2)
    assert work.torch_parameters == gates * 5 * (3 + 5 + biases) + 2 * (5 + 1)
