"""The shortcut adds a linear forecast from the lookback, past the recurrent layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.roles import Roles
from models.windows.spec import WindowSpec

SPEC = WindowSpec(lookback=5, horizon=3)
TARGETS = ("y", "z")
SCALING = Scaling.of({"y": (10.0, 2.0), "z": (-1.0, 0.5)})


def build(**options: Any) -> keras.Model:
    return build_forecaster(
        spec=SPEC,
        roles=Roles(targets=TARGETS),
        model=ModelConfig(units=(3,), normalize="standard", **options),
        scaling=SCALING,
        frequency="h",
        seed=1,
    )


def windows(n: int = 4) -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(0)
    return {
        t: random.normal(SCALING[t].mean, SCALING[t].std, (n, SPEC.lookback)).astype(np.float32)
        for t in TARGETS
    }


def forecast(model: keras.Model, inputs: dict[str, Any]) -> np.ndarray[Any, Any]:
    outputs = model(inputs)
    return np.stack([np.asarray(outputs[t]) for t in TARGETS], axis=-1)


@pytest.mark.parametrize("channels", ["mixed", "shared"])
def test_it_starts_by_changing_nothing(channels: str) -> None:
    plain, with_it = build(channels=channels), build(channels=channels, shortcut=True)
    inputs = windows()
    np.testing.assert_allclose(forecast(with_it, inputs), forecast(plain, inputs), rtol=1e-6)


@pytest.mark.parametrize(("channels", "kernels"), [("mixed", 2), ("shared", 1)])
def test_it_adds_a_linear_map_of_each_target_by_itself(channels: str, kernels: int) -> None:
    plain, with_it = build(channels=channels), build(channels=channels, shortcut=True)
    kernel = np.random.default_rng(1).normal(size=(kernels, SPEC.lookback, SPEC.horizon))
    with_it.get_layer("elman_shortcut").set_weights([kernel.astype(np.float32)])
    inputs = windows()
    added = forecast(with_it, inputs) - forecast(plain, inputs)
    for i, target in enumerate(TARGETS):
        scaled = (inputs[target] - SCALING[target].mean) / SCALING[target].std
        own = kernel[i if kernels == 2 else 0]
        np.testing.assert_allclose(
            added[:, :, i], scaled @ own * SCALING[target].std, rtol=1e-4, atol=1e-4
        )


def test_it_survives_saving(tmp_path: Path) -> None:
    model = build(shortcut=True)
    kernel = np.random.default_rng(2).normal(size=(2, SPEC.lookback, SPEC.horizon))
    model.get_layer("elman_shortcut").set_weights([kernel.astype(np.float32)])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(forecast(again, windows()), forecast(model, windows()), rtol=1e-6)
