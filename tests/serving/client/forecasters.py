"""Small forecasters, exported without training, and histories for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.export.engines import EngineName
from models.features.scaling import Scaling
from models.history.recipe import DataDescription, RawData
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec

START = "2024-01-06"
RICH = Roles(
    targets=("CO2 (ppm)", "y"),
    covariates=Covariates(
        past=("wind", "observed"),
        future=("#price",),
        static=("area", "region"),
        calendar=("week_of_year",),
    ),
)
PLAIN = Roles(targets=("y",))
SPEC = WindowSpec(lookback=8, horizon=3, gap=1)


def export(
    folder: Path,
    *,
    roles: Roles = PLAIN,
    spec: WindowSpec = SPEC,
    gaps: GapsConfig | None = None,
    frequency: str = "W-SAT",
    data: Mapping[str, Any] | None = None,
    train: Mapping[str, Any] | None = None,
    seed: int = 5,
    engine: EngineName = "tensorflow",
    **model: Any,
) -> Path:
    """A version directory's content, by default of a weekly forecaster of one column."""
    from models.export.saved_model import export_forecaster
    from models.network.build import build_forecaster

    numbers = [*roles.dynamic, *(n for n in roles.covariates.static if n != "region")]
    network = build_forecaster(
        spec=spec,
        roles=roles,
        model=ModelConfig(cell="gru", units=(4,), **model),
        scaling=Scaling.of(dict.fromkeys(numbers, (10.0, 3.0))),
        frequency=frequency,
        vocabularies=(
            {"region": ("north", "south")} if "region" in roles.covariates.static else {}
        ),
        seed=seed,
    )
    raw = {"time": "week", "series": "site", "gaps": gaps or GapsConfig(max=2), **(data or {})}
    described = DataDescription(**dict(RawData(**raw)), boundaries=(0, 0, 0, 0))
    export_forecaster(
        network,
        folder,
        spec=spec,
        roles=roles,
        frequency=frequency,
        metadata={
            "data": described.model_dump(mode="json"),
            "train": dict(train or {}),
            "run_id": "r1",
        },
        engine=engine,
    )
    return folder


def history(
    roles: Roles = PLAIN,
    spec: WindowSpec = SPEC,
    series: Mapping[str, int] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Weekly history of as many steps as `series` says, and the future of future covariates."""
    random = np.random.default_rng(seed)
    parts = []
    for number, (name, steps) in enumerate((series or {"a": 20, "b": 14}).items()):
        ahead = spec.reach if roles.covariates.future else 0
        count = steps + ahead
        part = pd.DataFrame({"week": pd.date_range(START, periods=count, freq="W-SAT")})
        part["site"] = name
        for column in roles.dynamic:
            part[column] = (10 + random.normal(size=count).cumsum()).round(3)
            if ahead and column not in roles.covariates.future:
                part.loc[steps:, column] = np.nan
        if "area" in roles.covariates.static:
            part["area"] = 1.5 + number
        if "region" in roles.covariates.static:
            part["region"] = ("north", "nowhere")[number % 2]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
