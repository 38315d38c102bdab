"""Windows of raw history are those of training, however the rows come."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from models.errors import BadInputError
from models.export.feed import view_feed
from models.history.batches import Batch, Pool
from models.history.recipe import WindowRecipe
from models.history.refusal import Refusal
from models.history.series import Origins, SeriesHistory
from models.windows.store import SPLITS
from tests.models.history.tables import HOUR, START, Table, tables

EXAMPLES = int(os.environ.get("ELMAN_EXAMPLES", "120"))
Key = tuple[str, int]
thorough = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def read(
    recipe: WindowRecipe,
    table: Table,
    wanted: Origins,
    *,
    size: int = 1000,
    block: int = 1 << 16,
    rows: int = 10**9,
) -> tuple[dict[Key, dict[str, npt.NDArray[Any]]], dict[str, Refusal], list[Batch]]:
    """All windows by (series, origin), the refusals by series, and the batches."""
    pool, refused = Pool(recipe, size), {}

    def batches() -> Iterator[Batch]:
        for series in sorted(table.steps):
            history = SeriesHistory(recipe, series, wanted, block=block)
            time, values, static = table.time(series), table.values[series], table.static(series)
            for at in range(0, len(time), rows):
                yield from pool.add(
                    history.add(time[at : at + rows], values[at : at + rows]), static
                )
            rest = history.finish()
            if isinstance(rest, Refusal):
                refused[series] = rest
            else:
                yield from pool.add(rest, static)
        yield from pool.flush()

    found, given_ = {}, list(batches())
    for batch in given_:
        for i, key in enumerate(zip(batch.series, batch.origin.tolist(), strict=True)):
            assert key not in found
            found[key] = {name: value[i] for name, value in batch.feed.items()}
    return found, refused, given_


def same(a: dict[str, npt.NDArray[Any]], b: dict[str, npt.NDArray[Any]]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@thorough
@given(tables())
def test_every_window_of_training_is_found_and_the_same(table: Table) -> None:
    with TemporaryDirectory() as folder:
        store = table.store(Path(folder))
        assume(store is not None)
        assert store is not None
        recipe = table.recipe(store)
        found, _, _ = read(recipe, table, "all")
        for split in SPLITS:
            view = store.view(split)
            feed = view_feed(view, recipe.spec, recipe.roles, recipe.text)
            batch = view.gather()
            for i in range(len(view)):
                key = (store.series[batch.series[i]], int(batch.time[i]))
                assert key in found
                same(found[key], {name: value[i] for name, value in feed.items()})


@thorough
@given(tables(), st.integers(1, 30), st.integers(0, 20), st.integers(1, 7))
def test_windows_do_not_depend_on_how_rows_come(
    table: Table, rows: int, block: int, size: int
) -> None:
    for wanted in ("all", "last", START + 20 * HOUR):
        whole, refused, _ = read(table.recipe(), table, wanted)
        parts, also, batches = read(
            table.recipe(), table, wanted, rows=rows, block=block, size=size
        )
        assert whole.keys() == parts.keys()
        for key in whole:
            same(whole[key], parts[key])
        assert also.keys() == refused.keys()
        assert all(len(b) == size for b in batches[:-1])


@thorough
@given(tables(), st.data())
def test_an_origin_sees_of_past_columns_nothing_that_comes_later(
    table: Table, data: st.DataObject
) -> None:
    hour = data.draw(st.integers(0, 75))
    recipe, origin = table.recipe(), START + HOUR * hour
    found, refused, _ = read(recipe, table, origin)
    blind = {s: v.copy() for s, v in table.values.items()}
    for series, steps in table.steps.items():
        blind[series][np.ix_(steps > hour, ~recipe.futures)] = np.nan
    changed = Table(table.steps, blind, table.roles, table.spec, table.gaps, table.borders)
    again, also, _ = read(recipe, changed, origin)
    assert found.keys() == again.keys()
    for key in found:
        same(found[key], again[key])
    assert {k: r.kind for k, r in also.items()} == {k: r.kind for k, r in refused.items()}


@thorough
@given(tables())
def test_all_origins_are_those_that_can_be_asked_for_one_by_one(table: Table) -> None:
    table = Table(
        table.steps,
        table.values,
        table.roles,
        table.spec.model_copy(update={"stride": 1}),
        table.gaps,
        table.borders,
    )
    recipe = table.recipe()
    every, _, _ = read(recipe, table, "all")
    single: dict[Key, dict[str, npt.NDArray[Any]]] = {}
    hours = range(max(int(s.max()) for s in table.steps.values()) + table.gaps.max + 3)
    for hour in hours:
        found, _, _ = read(recipe, table, START + HOUR * hour)
        single |= found
    assert every.keys() <= single.keys()
    for key in every:
        same(every[key], single[key])
    width = len(table.roles.targets)
    for series, time in single.keys() - every.keys():
        # Only in a hole, of which nothing said yet that it would be too long.
        here = table.values[series][table.time(series) == time, :width]
        assert np.isnan(here).all()


@thorough
@given(tables())
def test_the_last_origin_is_the_last_step_with_a_target(table: Table) -> None:
    recipe = table.recipe()
    last, refused, _ = read(recipe, table, "last")
    width = len(table.roles.targets)
    for series in table.steps:
        rows = np.flatnonzero(~np.isnan(table.values[series][:, :width]).all(axis=1))
        if not len(rows):
            assert refused[series].kind == "empty"
            continue
        time = int(table.time(series)[rows[-1]])
        one, none, _ = read(recipe, table, time)
        assert ((series, time) in last) == ((series, time) in one) == (series not in refused)
        if series in refused:
            assert refused[series] == none[series]
        else:
            same(last[series, time], one[series, time])


def rows(
    table_rows: dict[int, tuple[float, ...]], **change: Any
) -> tuple[WindowRecipe, npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    from models.roles import Covariates, Roles
    from models.windows.gaps import GapsConfig
    from models.windows.spec import WindowSpec

    roles = Roles(targets=("y",), covariates=Covariates(past=("p",), future=("f",)))
    base = {
        "spec": WindowSpec(lookback=4, horizon=2, gap=1),
        "gaps": GapsConfig(max=2),
        **change,
    }
    table = Table({}, {}, roles, borders=(0, 1, 2, 3), **base)
    time = START + HOUR * np.asarray(list(table_rows), np.int64)
    return table.recipe(), time, np.asarray(list(table_rows.values()), np.float32)


NAN = float("nan")
FULL = dict.fromkeys(range(10), (1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("origin", "cells", "kind", "words"),
    [
        (2, FULL, "short", ["3 usable steps", "4 are needed", "2001-09-09T04:00:00Z"]),
        (0, FULL, "short", ["1 usable step of"]),
        (-3, FULL, "empty", ["no rows up to the origin"]),
        (4, {t: v for t, v in FULL.items() if t < 7}, "future", ["'f'", "3 steps ahead"]),
        (6, {t: (1, NAN if 3 <= t <= 6 else 1, 1) for t in range(10)}, "hole", ["'p'", "4 steps"]),
        (8, {t: (1, NAN if 3 <= t <= 6 else 1, 1) for t in range(12)}, "hole",
         ["2 usable steps", "'p' is missing for 4 steps", "gaps.max"]),
        (9, {t: (1, 1, 1) for t in range(14) if t not in (4, 5, 6)}, "hole",
         ["3 usable steps", "no rows for 3 steps before"]),
        (6, {t: (1, NAN if t < 5 else 1, 1) for t in range(10)}, "short",
         ["2 usable steps", "'p' has no value up to"]),
        (6, dict.fromkeys(range(10), (1, NAN, 1)), "short", ["0 usable steps", "'p' has no value"]),
        (12, FULL, "hole", ["no rows for 3 steps up to"]),
        (5, {t: (1, 1, NAN if t in (5, 6, 7) else 1) for t in range(12)}, "future", ["'f'"]),
    ],
)  # fmt: skip
def test_a_refusal_says_what_there_is_and_what_is_needed(
    origin: int, cells: dict[int, tuple[float, ...]], kind: str, words: list[str]
) -> None:
    recipe, time, values = rows(cells)
    history = SeriesHistory(recipe, "s", START + HOUR * origin)
    history.add(time, values)
    refusal = history.finish()
    assert isinstance(refusal, Refusal)
    assert refusal.kind == kind, refusal
    for word in words:
        assert word in refusal.reason


def test_no_target_is_said() -> None:
    recipe, time, values = rows(dict.fromkeys(range(9), (NAN, 1, 1)))
    history = SeriesHistory(recipe, "s", "last")
    history.add(time, values)
    refusal = history.finish()
    assert isinstance(refusal, Refusal)
    assert refusal.kind == "empty"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([0, HOUR, HOUR], "is there twice"),
        ([0, 2 * HOUR, HOUR], "comes after a later one"),
        ([0, HOUR, HOUR + 60], "not on the grid of 'h' that begins at"),
        ([0, -HOUR], "comes after a later one"),
    ],
)
def test_times_have_to_be_on_the_grid_and_ascending(steps: list[int], words: str) -> None:
    recipe, _, _ = rows(FULL)
    values = np.ones((len(steps), 3), np.float32)
    time = START + np.asarray(steps, np.int64)

    def read(split: int) -> None:
        history = SeriesHistory(recipe, "s", "last")
        for part in (slice(0, split), slice(split, None)):
            history.add(time[part], values[part])

    for split in range(1, len(steps) + 1):
        with pytest.raises(BadInputError, match=words):
            read(split)


def test_memory_does_not_grow_with_a_series() -> None:
    recipe, _, _ = rows(FULL)
    for wanted in ("all", "last", START + 10**7 * HOUR):
        history = SeriesHistory(recipe, "s", wanted, block=100)
        most = 0
        for at in range(0, 20_000, 500):
            time = START + HOUR * np.arange(at, at + 500)
            history.add(time, np.ones((500, 3), np.float32))
            assert history._run is not None
            most = max(most, len(history._run))
        assert most < 700
