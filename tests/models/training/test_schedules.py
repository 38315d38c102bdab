"""The learning rate against its closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.training.config import ScheduleConfig, TrainConfig
from models.training.optimizers import build_optimizer, inner, schedule_of
from models.training.schedules import LearningRate

kinds = st.sampled_from(["constant", "cosine", "exponential", "plateau"])


def closed_form(
    step: int, first: float, s: ScheduleConfig, per_epoch: int, epochs: int, drops: int
) -> float:
    warm = s.warmup * per_epoch
    if step < warm:
        return first * min((step + 1) / warm, 1.0)
    gone = (step - warm) / per_epoch
    share = {
        "constant": 1.0,
        "cosine": s.floor
        + (1 - s.floor) * (1 + np.cos(np.pi * min(gone / (epochs - s.warmup), 1.0))) / 2,
        "exponential": max(s.floor, s.decay**gone),
        "plateau": max(s.floor, s.decay**drops),
    }[s.kind]
    return first * float(share)


@settings(max_examples=60, deadline=None)
@given(
    kinds,
    st.floats(0, 3),
    st.floats(0.1, 1),
    st.floats(0, 0.9),
    st.integers(1, 40),
    st.integers(4, 9),
    st.integers(0, 3),
    st.data(),
)
def test_rate(
    kind: Any,
    warmup: float,
    decay: float,
    floor: float,
    per_epoch: int,
    epochs: int,
    drops: int,
    data: st.DataObject,
) -> None:
    config = ScheduleConfig(kind=kind, warmup=warmup, decay=decay, floor=floor)
    rate = LearningRate(0.02, config, per_epoch, epochs)
    rate.set_drops(drops)
    step = data.draw(st.integers(0, per_epoch * epochs))
    want = closed_form(step, 0.02, config, per_epoch, epochs, drops)
    np.testing.assert_allclose(float(rate(step)), want, rtol=1e-3, atol=1e-7)


def test_warm_up_rises_linearly_and_cosine_ends_at_the_floor() -> None:
    rate = LearningRate(1.0, ScheduleConfig(kind="cosine", warmup=1, floor=0.1), 10, 5)
    rises = [float(rate(k)) for k in range(10)]
    np.testing.assert_allclose(np.diff(rises), 0.1, rtol=1e-4)
    np.testing.assert_allclose([float(rate(10)), float(rate(50))], [1.0, 0.1], rtol=1e-5)


def test_a_schedule_survives_its_config() -> None:
    rate = LearningRate(0.3, ScheduleConfig(kind="exponential", decay=0.7), 7, 5)
    again = LearningRate.from_config(rate.get_config())
    assert float(again(9)) == float(rate(9))


def test_a_warm_up_longer_than_the_training_is_refused() -> None:
    with pytest.raises(ValidationError, match="warmup"):
        TrainConfig(epochs=2, schedule=ScheduleConfig(warmup=2))


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop"])
def test_each_optimizer_gets_rate_decay_and_clipping(name: Any) -> None:
    config = TrainConfig(optimizer=name, weight_decay=0.01, learning_rate=0.5)
    made = build_optimizer(config, 3)
    assert made.weight_decay == 0.01
    assert made.global_clipnorm == 1.0
    assert float(schedule_of(made)(0)) == 0.5
    scaled = build_optimizer(config.model_copy(update={"precision": "mixed_float16"}), 3)
    assert inner(scaled).global_clipnorm == 1.0
    assert inner(made) is made
