"""Forecasts with carried state, against the signatures called step by step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.errors import BadInputError
from models.export import streamed
from models.export.loaded import LoadedForecaster
from models.export.saved_model import export_forecaster
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from models.windows.view import WindowView
from tests.stores import make_store

SPEC = WindowSpec(lookback=4, horizon=2, gap=1)
ROLES = Roles(
    targets=("a", "b"),
    covariates=Covariates(
        past=("wind", "observed"),
        future=("price",),
        static=("area", "region"),
        calendar=("hour_of_day",),
    ),
)


@pytest.fixture(scope="module")
def store() -> SeriesStore:
    rng = np.random.default_rng(2)
    segments = [
        (name, hour, 50 + 5 * rng.normal(size=(n, 4)).cumsum(axis=0))
        for name, hour, n in (("x", 0, 30), ("x", 35, 20), ("y", 3, 47), ("z", 0, 9))
    ]
    hidden = {2: rng.random((47, 4)) < 0.2}
    hidden[2][0] = False
    static = {"area": (40.0, 60.0, 5.0), "region": ("north", "south", "new")}
    return make_store(segments, SPEC, (10, 20, 55), roles=ROLES, hidden=hidden, static=static)


def exported(folder: Path, **changes: Any) -> LoadedForecaster:
    model = build_forecaster(
        spec=SPEC,
        roles=ROLES,
        model=ModelConfig(**{"cell": "lstm", "units": (3, 4), "shortcut": True, **changes}),
        scaling=Scaling.of(dict.fromkeys((*ROLES.dynamic, "area"), (50.0, 10.0))),
        frequency="h",
        vocabularies={"region": ("north", "south")},
        seed=5,
    )
    rng = np.random.default_rng(1)
    model.set_weights([w + rng.normal(scale=0.2, size=w.shape) for w in model.get_weights()])
    metadata = {"train": {"bptt": {"truncated": 8}}}
    export_forecaster(model, folder, spec=SPEC, roles=ROLES, frequency="h", metadata=metadata)
    return LoadedForecaster(folder)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedForecaster:
    return exported(tmp_path_factory.mktemp("m") / "Format-Serving")


def step_by_step(loaded: LoadedForecaster, store: SeriesStore) -> dict[int, np.ndarray]:
    """By row of the store, the forecast [horizon, targets] of a client that streams a segment."""
    meta, found = loaded.metadata, {}
    signatures = tf.saved_model.load(str(loaded.folder)).signatures
    step_store = replace(store, spec=SPEC.model_copy(update={"lookback": 1}))
    for _, first, steps in store.segments:
        state = signatures["stream_init"](batch=tf.constant(1))
        for row in range(first, first + steps - SPEC.reach):
            # What a view of one step holds is what a client has: tests/models/windows see to that.
            batch = WindowView(step_store, np.array([row])).gather()
            columns = {
                **{k: v[:, 0] for k, v in batch.past.items()},
                **batch.future,
                **batch.static,
                "time": batch.time,
            }
            sent = {
                name: tf.constant(columns[c], tf.as_dtype(meta["input_types"][c]))
                for c, name in meta["inputs"].items()
            }
            out = signatures["stream_step"](**sent, **state)
            state = {name: out[name] for name in meta["streaming"]["state"]}
            found[row] = np.stack([out[meta["outputs"][t]][0] for t in ROLES.targets], axis=-1)
    return found


def test_it_is_what_a_client_gets_that_streams_from_the_start(
    loaded: LoadedForecaster, store: SeriesStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert loaded.carries_state
    view = store.view("test")
    expected = step_by_step(loaded, store)
    want = np.stack([expected[row] for row in view.origins])
    forecasts = loaded.predict_streaming(view)
    assert forecasts.dtype == np.float32
    np.testing.assert_allclose(forecasts, want, rtol=1e-5)
    monkeypatch.setattr(streamed, "MOST_STEPS", 7)
    np.testing.assert_allclose(loaded.predict_streaming(view, lanes=2), want, rtol=1e-5)
    few = view.take(np.array([11, 3, 3, 30]))
    np.testing.assert_allclose(loaded.predict_streaming(few, lanes=1), want[[11, 3, 3, 30]], 1e-5)
    assert loaded.predict_streaming(view.take(np.zeros(0, np.int64))).shape == (0, 2, 2)
    windows = loaded.predict(view)
    assert np.abs(windows - forecasts).max() > 1e-3, "the state should reach beyond the lookback"


def test_the_store_may_have_another_lookback_and_order_of_columns(
    loaded: LoadedForecaster, store: SeriesStore
) -> None:
    roles = Roles(
        targets=("b", "a"),
        covariates=Covariates(past=("wind",), future=("price",), static=("region", "area")),
    )
    order = [ROLES.dynamic.index(name) for name in roles.dynamic]
    other = replace(
        store,
        roles=roles,
        spec=SPEC.model_copy(update={"lookback": 9, "stride": 3}),
        values=store.values[:, order],
        observed=store.observed[:, order],
    )
    view = store.view("test")
    found = loaded.predict_streaming(WindowView(other, view.origins))
    np.testing.assert_allclose(found[..., ::-1], loaded.predict_streaming(view), rtol=1e-5)


def test_what_cannot_stream_says_so(loaded: LoadedForecaster, store: SeriesStore) -> None:
    longer = replace(store, spec=SPEC.model_copy(update={"horizon": 3}))
    with pytest.raises(BadInputError, match="horizon is 2 steps"):
        loaded.predict_streaming(longer.view("test"))
    loaded.metadata["streaming_refusal"] = "model.normalize is window"
    with pytest.raises(BadInputError, match=r"cannot stream these series: model\.normalize"):
        loaded.predict_streaming(store.view("test"))
    loaded.metadata["streaming_refusal"] = None
