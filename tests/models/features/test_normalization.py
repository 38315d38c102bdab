from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.features.normalization import SPREAD_FLOOR, Columns, Denormalize, TargetNormalization
from models.features.vocabulary import VocabularyEmbedding


@pytest.mark.parametrize("kind", ["standard", "window", "none"])
def test_denormalize_undoes_normalization(kind):
    raw = np.random.default_rng(1).normal(40, 9, (6, 10, 2)).astype(np.float32)
    normalised, anchor, spread = TargetNormalization(kind, [40, 39], [9, 10])(raw)
    back = Denormalize()(normalised, anchor, spread)
    np.testing.assert_allclose(back, raw, rtol=1e-6)


def test_window_is_measured_from_its_last_value_and_own_spread():
    raw = np.random.default_rng(1).normal(40, 9, (6, 10, 2)).astype(np.float32)
    normalised, anchor, spread = TargetNormalization("window", [0, 0], [1, 1])(raw)
    np.testing.assert_array_equal(anchor, raw[:, -1:])
    np.testing.assert_allclose(spread, raw.std(axis=1, keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(normalised[:, -1], np.zeros((6, 2)))


def test_a_large_level_with_a_small_spread_keeps_its_digits():
    moves = np.array([0, 1, -2, 3, -1, 2, 0, 1], np.float32)
    raw = (2.0**20 + moves)[None, :, None].astype(np.float32)
    normalised, _, spread = TargetNormalization("window", [0], [1])(raw)
    np.testing.assert_allclose(spread[0, 0, 0], moves.std(), rtol=1e-6)
    expected = (moves - moves[-1]) / moves.std()
    np.testing.assert_allclose(normalised[0, :, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("level", [0.0, 1e-20, 7.0, 1e6, 1e30, -1e30])
def test_a_constant_window_is_zero_and_finite(level):
    raw = np.full((1, 5, 1), level, np.float32)
    normalised, _, spread = TargetNormalization("window", [0], [2])(raw)
    np.testing.assert_array_equal(normalised, np.zeros((1, 5, 1)))
    assert np.isfinite(spread).all()
    assert float(spread[0, 0, 0]) >= SPREAD_FLOOR * 2 * (1 - 1e-6)


def test_huge_values_do_not_overflow():
    raw = np.array([1, -2, 3], np.float32)[None, :, None] * np.float32(1e30)
    normalised, _, spread = TargetNormalization("window", [0], [1])(raw)
    np.testing.assert_allclose(spread[0, 0, 0], raw.astype(float).std(), rtol=1e-6)
    assert np.isfinite(normalised).all()


def test_columns_are_stacked_and_scaled_in_order():
    a, b = np.ones((2, 3), np.float32), np.full((2, 3), 5, np.float32)
    stacked = Columns([1, 3], [1, 4])([a, b])
    np.testing.assert_array_equal(stacked, np.stack([a - 1, (b - 3) / 4], axis=-1))


def test_unknown_words_are_zero_and_known_ones_are_not():
    layer = VocabularyEmbedding(("a", "b"), size=3, seed=1)
    vectors = layer(tf.constant(["b", "zzz", "", "a", "b"])).numpy()
    np.testing.assert_array_equal(vectors[1:3], np.zeros((2, 3)))
    np.testing.assert_array_equal(vectors[0], vectors[4])
    assert (vectors[0] != 0).all()
    assert (vectors[0] != vectors[3]).any()
