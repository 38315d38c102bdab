from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.errors import BadInputError, FailedRunError
from models.export.loaded import LoadedForecaster
from models.export.verification import write_verification
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec


@pytest.fixture(scope="module")
def loaded(exported):
    return LoadedForecaster(exported)


def test_windows_with_another_lookback_are_read_with_the_models_own(loaded, store):
    short = replace(store, spec=WindowSpec(lookback=3, horizon=3, gap=1))
    origins = np.concatenate(
        [np.arange(a + 2, a + n - 4) for _, a, n in np.asarray(store.segments)]
    )
    view = replace(short, origins={"test": origins}).view("test")
    usable = loaded.usable(view)
    expected = [any(a + 7 <= o < a + n for _, a, n in np.asarray(store.segments)) for o in origins]
    np.testing.assert_array_equal(usable, expected)
    assert 0 < usable.sum() < len(usable)
    enough = view.take(np.flatnonzero(usable))
    np.testing.assert_array_equal(enough.origins, store.origins["test"])
    np.testing.assert_array_equal(loaded.predict(enough), loaded.predict(store.view("test")))
    with pytest.raises(BadInputError, match="history"):
        loaded.predict(view)


def test_targets_come_in_the_order_of_the_windows(loaded, store):
    order = [1, 0, 2, 3]
    turned = replace(
        store,
        roles=Roles(targets=("a/b", "CO2 (ppm)"), covariates=store.roles.covariates),
        values=store.values[:, order],
        observed=store.observed[:, order],
    )
    got = loaded.predict(turned.view("test"))
    np.testing.assert_array_equal(got, loaded.predict(store.view("test"))[..., ::-1])


def covariates(store, **change):
    changed = store.roles.covariates.model_copy(update=change)
    return replace(store, roles=Roles(targets=store.roles.targets, covariates=changed))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda s: replace(s, spec=WindowSpec(lookback=8, horizon=4, gap=1)), "horizon"),
        (lambda s: replace(s, spec=WindowSpec(lookback=8, horizon=3)), "gap"),
        (lambda s: replace(s, frequency="D"), "step"),
        (lambda s: replace(s, roles=Roles(targets=("a/b",))), "forecasts"),
        (lambda s: covariates(s, past=("gust", "observed")), "wind"),
        (lambda s: covariates(s, past=("wind", "#price"), future=()), "future"),
        (lambda s: replace(s, static={"area": (1.0, 2.0)}), "region"),
        (lambda s: replace(s, static={"area": ("a", "b"), "region": ("a", "b")}), "text"),
    ],
)
def test_what_cannot_be_compared_is_named(loaded, store, change, word):
    other = change(store)
    reason = loaded.comparable(other)
    assert reason is not None
    assert word in reason
    with pytest.raises(BadInputError, match="cannot forecast these windows"):
        loaded.predict(other.view("test"))


def test_further_columns_do_no_harm(loaded, store):
    assert loaded.comparable(store) is None
    wider = Covariates(**{**store.roles.covariates.model_dump(), "past": ("wind", "extra")})
    assert loaded.comparable(covariates(store, past=wider.past)) is None


def test_verification_holds_raw_inputs_and_the_models_forecasts(model, loaded, store, tmp_path):
    view = store.view("test")
    write_verification(model, view, tmp_path / "verification.npz", n=5)
    with np.load(tmp_path / "verification.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    chosen = view.take(np.array([0, 6, 13, 20, 26]))  # evenly over 27 windows
    assert len(view) == 27
    np.testing.assert_array_equal(arrays["input.a_b"], chosen.gather().past["a/b"])
    assert arrays["input.region"].tolist() == chosen.gather().static["region"].tolist()
    expected = loaded.predict(chosen)
    np.testing.assert_allclose(arrays["output.CO2_ppm"], expected[..., 0], rtol=1e-5)
    np.testing.assert_allclose(arrays["output.a_b"], expected[..., 1], rtol=1e-5)
    assert arrays["scale.a_b"] >= np.abs(arrays["output.a_b"]).max()
    assert [p.name for p in tmp_path.iterdir()] == ["verification.npz"]
    with pytest.raises(FailedRunError, match="no window"):
        write_verification(model, view.take(np.array([], int)), tmp_path / "none.npz")
