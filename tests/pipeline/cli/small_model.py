"""A small forecaster, exported as training exports it, and what it forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.export.saved_model import export_forecaster
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.roles import Roles
from models.windows.spec import WindowSpec

SPEC = WindowSpec(lookback=8, horizon=3)
ROLES = Roles(targets=("y",))


@dataclass(frozen=True)
class SmallModel:
    """A SavedModel in `folder`, inputs for it as JSON has them, and its forecast of them."""

    folder: Path
    inputs: dict[str, Any]
    forecast: Any


def export_small_model(folder: Path, *, seed: int) -> SmallModel:
    """An untrained network; another seed makes another one."""
    model = build_forecaster(
        spec=SPEC,
        roles=ROLES,
        model=ModelConfig(cell="gru", units=(4,), normalize="standard"),
        scaling=Scaling.of({"y": (350.0, 10.0)}),
        frequency="h",
        vocabularies={},
        seed=seed,
    )
    export_forecaster(model, folder, spec=SPEC, roles=ROLES, frequency="h", metadata={})
    windows = (350 + 5 * np.random.default_rng(0).normal(size=(2, SPEC.lookback))).astype("float32")
    forecast = keras.ops.convert_to_numpy(model({"y": windows})["y"])
    return SmallModel(folder, {"y": windows.tolist()}, forecast)
