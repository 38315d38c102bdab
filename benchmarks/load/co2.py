"""The network of `examples/co2.yaml`, its weights as they start, and windows of the real record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models.export.loaded import LoadedForecaster
from models.features.scaling import Scaling
from pipeline.config import Config, load

CONFIG = Path(__file__).parents[2] / "examples" / "co2.yaml"


def config() -> Config:
    """The configuration of the example."""
    return load(CONFIG).config


def export(folder: Path, seed: int, **changes: Any) -> Path:
    """Exports the network to `folder`; training changes what it says, not what it costs.

    Args:
        folder: Where it goes.
        seed: Of its weights.
        changes: `lookback`, or keys of the section `model`.
    """
    from models.export.saved_model import export_forecaster
    from models.network.build import build_forecaster

    given = config()
    spec = given.window.model_copy(
        update={"lookback": changes.pop("lookback", given.window.lookback)}
    )
    arguments: dict[str, Any] = {"spec": spec, "roles": given.roles, "frequency": "W-SAT"}
    network = build_forecaster(
        **arguments,
        model=given.model.model_copy(update=changes),
        scaling=Scaling.of({"co2": (338.0, 17.0)}),
        seed=seed,
    )
    export_forecaster(network, folder, **arguments, metadata={})
    return folder


def windows(count: int, lookback: int = 104) -> dict[str, Any]:
    """`count` windows spread over the weekly record: `co2` [count, lookback] and `time` [count]."""
    from statsmodels.datasets import co2

    series = co2.load_pandas().data["co2"].interpolate().dropna()
    series = series[-2000:]
    ends = np.linspace(lookback - 1, len(series) - 1, count).astype(int)
    values = series.to_numpy(np.float32)
    time = series.index.astype("datetime64[s]").astype(np.int64)
    return {
        "co2": np.stack([values[e - lookback + 1 : e + 1] for e in ends]),
        "time": np.asarray(time[ends]),
    }


def forecasts(folder: Path, feed: dict[str, Any]) -> Any:
    """What the model in `folder` says, float32 [windows, horizon]."""
    return LoadedForecaster(folder).forecast(feed)[..., 0]
