"""Window counts, saving and loading, and views against naive slices."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import FailedRunError
from models.roles import OBSERVED, Covariates, Roles
from models.windows.origins import origins
from models.windows.spec import WindowSpec
from models.windows.store import MARKER, SPLITS, SeriesStore
from models.windows.writer import ArrayWriter
from tests.stores import make_store

small = st.integers(1, 6)
specs = st.builds(WindowSpec, lookback=small, horizon=small, stride=small, gap=st.integers(0, 3))
ROLES = Roles(
    targets=("y", "z"),
    covariates=Covariates(
        past=("p", OBSERVED), future=("f", "g"), static=("s", "t"), calendar=("hour_of_day",)
    ),
)


@given(specs, st.integers(0, 60))
def test_count_is_that_of_a_loop(spec: WindowSpec, steps: int) -> None:
    found = [
        t
        for t in range(spec.lookback - 1, steps, spec.stride)
        if t + spec.gap + spec.horizon < steps
    ]
    assert spec.count(steps) == len(found)
    assert origins(spec, steps).tolist() == found


@given(specs, st.integers(0, 50), st.integers(-5, 60), st.integers(-5, 60))
def test_origins_with_labels_in_a_range(spec: WindowSpec, steps: int, first: int, end: int) -> None:
    found = [
        t
        for t in range(spec.lookback - 1, steps, spec.stride)
        if first <= t + 1 + spec.gap and t + spec.gap + spec.horizon < min(end, steps)
    ]
    assert origins(spec, steps, first, end).tolist() == found


def everything(spec: WindowSpec | None = None, share: float = 0.3) -> SeriesStore:
    random = np.random.default_rng(1)
    lengths = [("a", 0, 40), ("a", 45, 30), ("b", 3, 60)]
    hidden = {i: random.random((n, 5)) < share for i, (_, _, n) in enumerate(lengths)}
    for mask in hidden.values():
        mask[0] = mask[-1] = False
    return make_store(
        [(s, t, random.normal(size=(n, 5))) for s, t, n in lengths],
        spec or WindowSpec(lookback=6, horizon=3, gap=1, stride=2),
        (30, 45, 75),
        roles=ROLES,
        hidden=hidden,
        static={"s": (1.0, 2.0), "t": ("x", "y")},
    )


def test_round_trip(tmp_path: Path) -> None:
    store = everything()
    store.save(tmp_path / "store")
    loaded = SeriesStore.load(tmp_path / "store")
    for name in ("spec", "roles", "frequency", "series", "static", "boundaries", "fill"):
        assert getattr(loaded, name) == getattr(store, name), name
    for name in ("values", "observed", "time", "segments"):
        array = getattr(loaded, name)
        assert isinstance(array, np.memmap)
        assert array.dtype == getattr(store, name).dtype
        np.testing.assert_array_equal(array, getattr(store, name))
    assert set(loaded.origins) == set(SPLITS)
    for split in SPLITS:
        np.testing.assert_array_equal(loaded.origins[split], store.origins[split])


def test_loading_what_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(FailedRunError, match="no finished window store"):
        SeriesStore.load(tmp_path)
    everything().save(tmp_path)
    meta = json.loads((tmp_path / MARKER).read_text())
    (tmp_path / MARKER).write_text(json.dumps({**meta, "format": 99}))
    with pytest.raises(FailedRunError, match="format 99, expected 1"):
        SeriesStore.load(tmp_path)


def test_an_interrupted_save_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything().save(tmp_path)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        everything().save(tmp_path)
    with pytest.raises(FailedRunError):
        SeriesStore.load(tmp_path)


def naive(store: SeriesStore, row: int, end: int, column: int) -> float:
    """What a window that ends at `end` sees of a cell."""
    first = max(f for _, f, _ in store.segments.tolist() if f <= end)
    known = end
    while known > first and not store.observed[known, column]:
        known -= 1
    return float(store.values[min(row, known), column])


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_gather_is_a_naive_slice(split: str, share: float) -> None:
    store = everything(share=share)
    spec, view = store.spec, store.view(split)
    batch = view.gather()
    assert len(view) > 0
    assert set(batch.past) == {"y", "z", "p", OBSERVED}
    assert set(batch.future) == {"f", "g"}
    targets = view.targets()
    for i, t in enumerate(view.origins.tolist()):
        back = range(t - spec.lookback + 1, t + 1)
        for name, column in (("y", 0), ("z", 1), ("p", 2)):
            expected = [naive(store, r, t, column) for r in back]
            assert batch.past[name][i].tolist() == expected
            if column < 2:
                assert targets[i, :, column].tolist() == expected
        both = [float(store.observed[r, 0] and store.observed[r, 1]) for r in back]
        assert batch.past[OBSERVED][i].tolist() == both
        end = t + spec.gap + spec.horizon
        whole = range(t - spec.lookback + 1, end + 1)
        for name, column in (("f", 3), ("g", 4)):
            assert batch.future[name][i].tolist() == [naive(store, r, end, column) for r in whole]
        for h in range(spec.horizon):
            row = t + 1 + spec.gap + h
            for column in range(2):
                label = batch.labels[i, h, column]
                if store.observed[row, column]:
                    assert label == store.values[row, column]
                else:
                    assert np.isnan(label)
        number = max(s for s, f, _ in store.segments.tolist() if f <= t)
        assert batch.series[i] == number
        assert batch.time[i] == store.time[t]
        assert batch.static["s"][i] == store.static["s"][number]
        assert batch.static["t"][i] == store.static["t"][number]


def test_batches_are_the_whole_in_order() -> None:
    view = everything().view("train")
    whole, parts = view.gather(), list(view.batches(4))
    assert [len(p.time) for p in parts[:-1]] == [4] * (len(parts) - 1)
    np.testing.assert_array_equal(np.concatenate([p.labels for p in parts]), whole.labels)
    np.testing.assert_array_equal(np.concatenate([p.past["z"] for p in parts]), whole.past["z"])
    np.testing.assert_array_equal(view.take(np.array([2, 0])).gather().labels, whole.labels[[2, 0]])


def test_other_fills_are_seen_as_they_are() -> None:
    from dataclasses import replace

    store = replace(everything(share=0.5), fill="mean")
    view = store.view("train")
    rows = view.origins[:, None] + np.arange(-5, 1)
    np.testing.assert_array_equal(view.gather().past["y"], store.values[rows, 0])


@given(st.lists(st.integers(0, 12), max_size=12))
def test_appended_arrays_load_as_if_saved_at_once(sizes: list[int]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        path = Path(name) / "a.npy"
        writer = ArrayWriter(path, np.float32, 3)
        blocks = [np.full((n, 3), n, np.float64) for n in sizes]
        for block in blocks:
            writer.append(block)
        writer.close()
        loaded = np.load(path)
        assert loaded.dtype == np.float32
        expected = np.concatenate([np.empty((0, 3)), *blocks])
        np.testing.assert_array_equal(loaded, expected)
