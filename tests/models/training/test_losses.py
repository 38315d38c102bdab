"""Losses against NumPy, whatever the pattern of labels that were not observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.features.scaling import Scaling
from models.training.losses import LabelLoss

SCALES = {"a": 0.5, "b": 300.0, "flat": 0.0}
SCALING = Scaling.of({name: (1.0, std) for name, std in SCALES.items()})
NAMES = tuple(SCALES)
numbers = st.floats(-100, 100, width=32)
cells = st.tuples(st.integers(1, 5), st.integers(1, 4)).flatmap(
    lambda shape: st.fixed_dictionaries(
        {
            name: st.tuples(
                hnp.arrays(np.float32, shape, elements=numbers | st.just(np.nan)),
                hnp.arrays(np.float32, shape, elements=numbers),
            )
            for name in NAMES
        }
    )
)


def reference(kind: str, error: Any, delta: float) -> Any:
    if kind == "mse":
        return error**2
    if kind == "mae":
        return np.abs(error)
    return np.where(np.abs(error) <= delta, 0.5 * error**2, delta * (np.abs(error) - 0.5 * delta))


def slope(kind: str, error: Any, delta: float) -> Any:
    if kind == "mse":
        return 2 * error
    return np.sign(error) if kind == "mae" else np.clip(error, -delta, delta)


@settings(max_examples=60, deadline=None)
@given(cells, st.sampled_from(["mse", "mae", "huber"]), st.floats(0.25, 4))
def test_sum_cells_and_gradient_agree_with_numpy(
    data: dict[str, tuple[Any, Any]], kind: Any, delta: float
) -> None:
    labels = {k: tf.constant(v[0]) for k, v in data.items()}
    outputs = {k: tf.Variable(v[1]) for k, v in data.items()}
    with tf.GradientTape() as tape:
        total, count = LabelLoss(kind, SCALING, NAMES, delta)(labels, outputs)
    gradients = tape.gradient(total, outputs)
    expected, seen = 0.0, 0
    for name, (label, output) in data.items():
        scale = SCALES[name] or 1.0
        known = ~np.isnan(label)
        error = (output.astype(np.float64) - label) / scale
        expected += reference(kind, error[known], delta).sum()
        seen += int(known.sum())
        want = np.where(known, slope(kind, np.nan_to_num(error), delta) / scale, 0.0)
        kink = (kind == "mae") & (np.abs(error) < 1e-6)
        got = gradients[name].numpy()
        np.testing.assert_allclose(
            np.where(kink, 0, got), np.where(kink, 0, want), rtol=2e-4, atol=1e-3
        )
    np.testing.assert_allclose(float(total), expected, rtol=1e-4, atol=1e-4)
    assert float(count) == seen


@pytest.mark.parametrize("kind", ["mse", "mae", "huber"])
def test_nothing_observed_costs_nothing_and_teaches_nothing(kind: Any) -> None:
    output = tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        total, count = LabelLoss(kind, SCALING, ("a",))({"a": [[np.nan, np.nan]]}, {"a": output})
    assert float(total) == 0.0
    assert float(count) == 0.0
    np.testing.assert_array_equal(tape.gradient(total, output).numpy(), 0.0)


def test_a_nan_forecast_is_not_hidden() -> None:
    total, _ = LabelLoss("mse", SCALING, ("a",))({"a": [[1.0]]}, {"a": [[np.nan]]})
    assert np.isnan(float(total))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="unknown loss"):
        LabelLoss("pinball", SCALING, ("a",))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="delta"):
        LabelLoss("huber", SCALING, ("a",), 0.0)
    with pytest.raises(KeyError):
        LabelLoss("mse", SCALING, ("missing",))
