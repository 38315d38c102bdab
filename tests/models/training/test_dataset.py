"""The tf.data pipeline against `WindowView.gather`, and its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.roles import OBSERVED, Covariates, Roles
from models.training.dataset import epoch_order, window_dataset
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS, SeriesStore
from models.windows.view import WindowBatch, WindowView
from tests.stores import make_store

FULL = Roles(
    targets=("y", "z"),
    covariates=Covariates(
        past=("p", OBSERVED), future=("f", "g"), static=("s", "t"), calendar=("hour_of_day",)
    ),
)
PLAIN = Roles(targets=("y", "z", "p", "f", "g"))


def make(roles: Roles, spec: WindowSpec, share: float, seed: int = 1) -> SeriesStore:
    random = np.random.default_rng(seed)
    lengths = [("a", 0, 40), ("a", 45, 30), ("b", 3, 60)]
    hidden = {i: random.random((n, 5)) < share for i, (_, _, n) in enumerate(lengths)}
    return make_store(
        [(s, t, random.normal(size=(n, 5))) for s, t, n in lengths],
        spec,
        (30, 50, 75),
        roles=roles,
        hidden=hidden,
        static={"s": (1.0, 2.0), "t": ("x", "y")} if roles is FULL else {},
    )


def same(got: tuple[dict[str, Any], dict[str, Any]], expected: WindowBatch, roles: Roles) -> None:
    inputs, labels = got
    wanted = {**expected.past, **expected.future, **expected.static}
    if roles.covariates.calendar:
        wanted["time"] = expected.time
    assert set(inputs) == set(wanted)
    for name, values in wanted.items():
        array = inputs[name].numpy()
        if values.dtype == object:
            assert [v.decode() for v in array] == values.tolist()
        else:
            assert array.dtype == values.dtype, name
            np.testing.assert_array_equal(array, values)
    assert tuple(labels) == roles.targets
    for i, name in enumerate(roles.targets):
        assert labels[name].dtype == tf.float32
        np.testing.assert_array_equal(labels[name].numpy(), expected.labels[:, :, i])


def chunks(view: WindowView, order: Any, size: int) -> Iterator[WindowBatch]:
    for start in range(0, len(order), size):
        yield view.take(order[start : start + size]).gather()


@settings(max_examples=25, deadline=None)
@given(
    roles=st.sampled_from([FULL, PLAIN]),
    spec=st.builds(
        WindowSpec,
        lookback=st.integers(1, 7),
        horizon=st.integers(1, 4),
        stride=st.integers(1, 3),
        gap=st.integers(0, 2),
    ),
    share=st.sampled_from([0.0, 0.1, 0.6]),
    size=st.integers(1, 40),
    kind=st.sampled_from(["linear", "mean"]),
    shuffle=st.booleans(),
    split=st.sampled_from(SPLITS),
)
def test_batches_are_those_of_gather(
    roles: Roles,
    spec: WindowSpec,
    share: float,
    size: int,
    kind: Any,
    shuffle: bool,
    split: str,
) -> None:
    store = replace(make(roles, spec, share), fill=kind)
    view = store.view(split)
    order = epoch_order(len(view), 11, 3) if shuffle else np.arange(len(view))
    dataset = window_dataset(view, size, shuffle=shuffle, seed=11, epoch=3)
    got, expected = list(dataset), list(chunks(view, order, size))
    assert len(got) == len(expected) == dataset.cardinality()
    for batch, wanted in zip(got, expected, strict=True):
        same(batch, wanted, roles)


@pytest.fixture(scope="module")
def view() -> WindowView:
    return make(FULL, WindowSpec(lookback=4, horizon=2), 0.1).view("train")


@given(st.integers(0, 500), st.integers(0, 2**31 - 1), st.integers(0, 10_000))
def test_an_epoch_is_a_permutation(n: int, seed: int, epoch: int) -> None:
    order = epoch_order(n, seed, epoch)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    np.testing.assert_array_equal(order, epoch_order(n, seed, epoch))


def test_epochs_and_seeds_differ() -> None:
    orders = {epoch_order(50, s, e).tobytes() for s in range(5) for e in range(5)}
    assert len(orders) == 25


def test_the_shuffle_is_uniform() -> None:
    # Where window 0 lands over 4,000 epochs: chi-square with 9 degrees of freedom.
    places = [int(np.flatnonzero(epoch_order(10, 5, e) == 0)[0]) for e in range(4000)]
    counts = np.bincount(places, minlength=10)
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # p = .001


def times(dataset: tf.data.Dataset) -> list[int]:
    return [int(t) for inputs, _ in dataset for t in inputs["time"]]


def origin_times(view: WindowView, order: Any) -> list[int]:
    return np.asarray(view.store.time[view.origins[order]]).tolist()


def test_a_variable_moves_the_order_on_without_retracing(view: WindowView) -> None:
    epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
    dataset = window_dataset(view, 8, shuffle=True, seed=2, epoch=epoch)
    for number in (0, 1, 7, 1):
        epoch.assign(number)
        assert times(dataset) == origin_times(view, epoch_order(len(view), 2, number))


def test_epochs_inside_flat_map_resume(view: WindowView) -> None:
    def epochs(first: int) -> tf.data.Dataset:
        return tf.data.Dataset.range(first, 4).flat_map(
            lambda e: window_dataset(view, 8, shuffle=True, seed=2, epoch=e)
        )

    expected = [t for e in range(4) for t in origin_times(view, epoch_order(len(view), 2, e))]
    assert times(epochs(0)) == expected
    assert times(epochs(2)) == expected[2 * len(view) :]


def test_drop_remainder(view: WindowView) -> None:
    size = len(view) - 3
    dataset = window_dataset(view, size, drop_remainder=True)
    assert dataset.cardinality() == 1
    inputs, labels = dataset.element_spec
    assert inputs["y"].shape == (size, 4)
    assert inputs["f"].shape == (size, 6)
    assert labels["z"].shape == (size, 2)
    assert times(dataset) == origin_times(view, np.arange(size))


def test_shapes_are_known_but_for_the_batch(view: WindowView) -> None:
    inputs, labels = window_dataset(view, 8).element_spec
    assert inputs["y"].shape == inputs["p"].shape == inputs[OBSERVED].shape == (None, 4)
    assert inputs["g"].shape == (None, 6)
    assert inputs["s"].shape == inputs["t"].shape == inputs["time"].shape == (None,)
    assert labels["y"].shape == (None, 2)


def test_a_part_of_a_view(view: WindowView) -> None:
    part = view.take(np.array([5, 1, 9]))
    (batch,) = window_dataset(part, 8)
    same(batch, part.gather(), FULL)


def test_a_view_without_windows(view: WindowView) -> None:
    empty = view.take(np.array([], np.int64))
    assert list(window_dataset(empty, 8, shuffle=True)) == []
    assert list(window_dataset(empty, 8)) == []


def test_a_memory_mapped_store(view: WindowView, tmp_path: Path) -> None:
    view.store.save(tmp_path)
    loaded = SeriesStore.load(tmp_path).view("train")
    for batch, wanted in zip(window_dataset(loaded, 8), view.batches(8), strict=True):
        same(batch, wanted, FULL)


def test_no_batch_size(view: WindowView) -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        window_dataset(view, 0)


def test_series_are_captured_not_copied_into_the_graph(view: WindowView) -> None:
    store = view.store
    big = replace(
        store,
        values=np.zeros((len(store.values) + 200_000, 5), np.float32),
        observed=np.ones((len(store.values) + 200_000, 5), np.bool_),
        time=np.arange(len(store.values) + 200_000),
    )
    dataset = tf.data.Dataset.range(1).flat_map(
        lambda e: window_dataset(WindowView(big, view.origins), 8, shuffle=True, epoch=e)
    )
    graph = dataset._functions()[0].function.graph.as_graph_def()
    assert graph.ByteSize() < 1_000_000
    assert len(list(dataset)) == -(-len(view) // 8)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_stacked_batches_hold_the_same_windows(share: float) -> None:
    store = make(PLAIN, WindowSpec(lookback=4, horizon=2, gap=1), share)
    view = store.view("train")
    plain = window_dataset(view, 5, shuffle=True, seed=3)
    for (inputs, labels), (stack, label_stack) in zip(
        plain, window_dataset(view, 5, shuffle=True, seed=3, stacked=True), strict=True
    ):
        columns = [inputs[name] for name in PLAIN.dynamic]
        np.testing.assert_array_equal(stack, np.stack(columns, axis=-1))
        targets = [labels[name] for name in PLAIN.targets]
        np.testing.assert_array_equal(label_stack, np.stack(targets, axis=-1))


def test_inputs_that_do_not_stack_are_refused() -> None:
    view = make(FULL, WindowSpec(lookback=4, horizon=2), 0.0).view("train")
    with pytest.raises(ValueError, match="ask for them by column"):
        window_dataset(view, 5, stacked=True)
