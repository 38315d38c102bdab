"""Clipping through the optimizer (the properties of Optax' tests), and what is measured of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.training.clipping import GradientRecord, clip_arguments, global_norm, would_clip
from models.training.config import ClipConfig, TrainConfig
from models.training.optimizers import build_optimizer

Measure = Any
arrays = hnp.arrays(np.float32, (2, 3), elements=st.floats(-50, 50, width=32))
measures = st.sampled_from(["global_norm", "norm", "value"])


def norm(values: list[Any]) -> float:
    return float(np.sqrt(sum((np.asarray(v, np.float64) ** 2).sum() for v in values)))


def size(measure: Measure, gradients: list[Any]) -> float:
    if measure == "global_norm":
        return norm(gradients)
    if measure == "norm":
        return max(norm([g]) for g in gradients)
    return float(max(np.abs(g).max() for g in gradients))


@settings(max_examples=40, deadline=None)
@given(arrays, arrays, measures, st.floats(0.125, 64))
def test_clipped_gradients_keep_the_limit_and_small_ones_are_untouched(
    first: Any, second: Any, measure: Measure, limit: float
) -> None:
    clip, raw = ClipConfig(**{measure: limit}), [first, second]
    config = TrainConfig(optimizer="sgd", learning_rate=1.0, clip=clip)
    variables = [tf.Variable(np.zeros((2, 3), np.float32)) for _ in raw]
    optimizer = build_optimizer(config, 1)
    optimizer.apply_gradients(zip([tf.constant(g) for g in raw], variables, strict=True))
    applied = [-v.numpy() for v in variables]
    assert size(measure, applied) <= limit * (1 + 1e-5)
    before = size(measure, raw)
    if before <= limit:
        for got, given_ in zip(applied, raw, strict=True):
            np.testing.assert_allclose(got, given_, rtol=1e-5, atol=1e-6)
    elif measure == "global_norm":  # the direction stays
        for got, given_ in zip(applied, raw, strict=True):
            np.testing.assert_allclose(got, given_ * limit / before, rtol=1e-4, atol=1e-5)
    if abs(before - limit) > 1e-4 * limit:
        tensors = [tf.constant(g) for g in raw]
        assert bool(would_clip(tensors, global_norm(tensors), clip)) == (before > limit)


def test_no_clipping_has_no_arguments() -> None:
    assert clip_arguments(None) == {}
    assert clip_arguments(ClipConfig(value=2.0)) == {"clipvalue": 2.0}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(arrays, arrays), min_size=1, max_size=5), measures)
def test_the_record_agrees_with_numpy(steps: list[tuple[Any, Any]], measure: Measure) -> None:
    limit = 7.3
    record = GradientRecord(ClipConfig(**{measure: limit}), skips_overflow=False)
    for step in steps:
        record.update([tf.constant(g) for g in step], tf.constant(2.0))
    found = record.summary()
    norms = [norm(list(step)) for step in steps]
    assert found.steps == len(steps)
    assert found.bad_step is None
    np.testing.assert_allclose(found.norm, np.mean(norms), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.norm_max, max(norms), rtol=1e-5, atol=1e-6)
    clipped = np.mean([size(measure, list(step)) > limit for step in steps])
    np.testing.assert_allclose(found.clipped_share, clipped)
    record.reset()
    assert record.summary().steps == 0


@pytest.mark.parametrize("skips", [True, False])
def test_an_infinite_gradient_is_skipped_under_loss_scaling_and_bad_otherwise(
    skips: bool,
) -> None:
    record = GradientRecord(ClipConfig(global_norm=1.0), skips_overflow=skips)
    for value in (3.0, np.inf, 4.0):
        record.update([tf.constant([value, 0.0])], tf.constant(value if value < 9 else 5.0))
    found = record.summary()
    assert (found.steps, found.skipped) == (3, 1)
    assert found.bad_step == (None if skips else 2)
    np.testing.assert_allclose((found.norm, found.norm_max, found.clipped_share), (3.5, 4, 1))
    assert found.last_loss == (4.0 if skips else 5.0)


def test_the_first_bad_step_and_the_last_finite_loss_are_kept() -> None:
    record = GradientRecord(None, skips_overflow=True)
    for loss in (1.0, 0.5, np.nan, 2.0):
        record.update([tf.constant([loss])], tf.constant(loss, tf.float32))
    found = record.summary()
    assert found.bad_step == 3
    assert found.last_loss == 0.5
    assert found.clipped_share == 0.0
