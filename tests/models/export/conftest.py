"""One small model with every kind of column, exported once."""

from __future__ import annotations

import numpy as np
import pytest

from models.features.scaling import Scaling
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore

SPEC = WindowSpec(lookback=8, horizon=3, gap=1)
ROLES = Roles(
    targets=("CO2 (ppm)", "a/b"),
    covariates=Covariates(
        past=("wind", "observed"),
        future=("#price",),
        static=("area", "region"),
        calendar=("week_of_year",),
    ),
)


@pytest.fixture(scope="session")
def store() -> SeriesStore:
    rng = np.random.default_rng(4)
    rows, width = 60, len(ROLES.dynamic)
    values = (350 + 5 * rng.normal(size=(rows, width)).cumsum(axis=0)).astype(np.float32)
    segments = np.array([[0, 0, 12], [0, 12, 18], [1, 30, 30]], np.int64)
    origins = np.concatenate(
        [np.arange(a + SPEC.lookback - 1, a + n - SPEC.reach) for _, a, n in segments]
    )
    return SeriesStore(
        spec=SPEC,
        roles=ROLES,
        frequency="W-SAT",
        values=values,
        observed=rng.random((rows, width)) > 0.1,
        time=1_000_000_000 + 604_800 * np.arange(rows, dtype=np.int64),
        segments=segments,
        series=("x", "y"),
        static={"area": (1.5, 2.5), "region": ("north", "unheard of")},
        origins={"test": origins.astype(np.int64)},
        boundaries=(0, 1, 2, 3),
    )


@pytest.fixture(scope="session")
def scaling() -> Scaling:
    return Scaling.of(dict.fromkeys((*ROLES.dynamic, "area"), (350.0, 10.0)))


@pytest.fixture(scope="session")
def model(scaling):
    import keras

    from models.network.build import build_forecaster

    built = build_forecaster(
        spec=SPEC,
        roles=ROLES,
        model=ModelConfig(cell="lstm", units=(4, 3), normalize="window", channels="shared"),
        scaling=scaling,
        frequency="W-SAT",
        vocabularies={"region": ("north", "south")},
        seed=5,
    )
    built.compile(optimizer=keras.optimizers.Adam())
    built.optimizer.build(built.trainable_variables)
    return built


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    from models.export.saved_model import export_forecaster

    folder = tmp_path_factory.mktemp("model") / "Format-Serving"
    export_forecaster(
        model,
        folder,
        spec=SPEC,
        roles=ROLES,
        frequency="W-SAT",
        metadata={"config_digest": "abc", "units": {"a/b": "kg"}},
    )
    return folder
