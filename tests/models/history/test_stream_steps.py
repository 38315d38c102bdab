"""Steps of a stream are the last steps of the windows, one after the other."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from models.errors import BadInputError
from models.history.batches import Pool
from models.history.recipe import WindowRecipe
from models.history.refusal import Refusal
from models.history.series import SeriesHistory
from models.history.stream import NEVER, Step, Trace, steps_of
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from tests.models.history.tables import HOUR, ROLES, START, Table, tables

EXAMPLES = int(os.environ.get("ELMAN_EXAMPLES", "120"))
NAN = float("nan")


@st.composite
def futures(draw: st.DrawFn) -> Table:
    """Tables whose future covariates are known beyond the last target, but for short holes."""
    table = draw(tables(draw(st.sampled_from([ROLES, ROLES[2:]]))))
    after = table.spec.reach + table.gaps.max + 1
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    which = table.recipe().futures
    steps, values = {}, {}
    for series, old in table.steps.items():
        first = int(old[0])
        count = int(old[-1]) + 1 + after - first
        steps[series] = first + np.arange(count)
        cells = np.full((count, len(which)), np.nan, np.float32)
        cells[old - first] = table.values[series]
        known = random.normal(size=cells.shape).astype(np.float32)
        known[random.random(cells.shape) < draw(st.sampled_from([0.0, 0.1, 0.3]))] = np.nan
        cells[:, which] = known[:, which]
        cells[-1, which] = 1.0
        values[series] = cells
    return replace(table, steps=steps, values=values)


def window(
    table: Table, recipe: WindowRecipe, series: str, origin: int
) -> dict[str, npt.NDArray[Any]] | None:
    """The window of a model at an origin; None if there is none."""
    history = SeriesHistory(recipe, series, origin)
    history.add(table.time(series), table.values[series])
    found = history.finish()
    if isinstance(found, Refusal):
        return None
    pool = Pool(recipe, 10)
    (batch,) = [*pool.add(found, table.static(series)), *pool.flush()]
    return {name: values[0] for name, values in batch.feed.items()}


def recipe_of(table: Table) -> WindowRecipe:
    """A recipe that knows means of some columns of some series."""
    recipe = table.recipe()
    if table.gaps.fill != "mean":
        return recipe
    means = tuple(None if i == 1 else 7.0 + i for i in range(len(table.roles.dynamic)))
    data = recipe.data.model_copy(update={"means": {"a": means}})
    return replace(recipe, data=data)


@settings(max_examples=2 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(futures(), st.data())
def test_steps_are_those_of_windows(table: Table, data: st.DataObject) -> None:
    recipe, lookback = recipe_of(table), table.spec.lookback
    series = data.draw(st.sampled_from(sorted(table.steps)))
    time, values = table.time(series), table.values[series]
    # Windows that begin with a whole step and end with one that has a target.
    whole = ~np.isnan(values).any(axis=1)
    targets = ~np.isnan(values[:, : len(table.roles.targets)]).all(axis=1)
    rows = [r for r in np.flatnonzero(targets) if r >= lookback - 1 and whole[r - lookback + 1]]
    assume(rows)
    row = int(data.draw(st.sampled_from(rows)))
    origin = int(time[row])
    expected = window(table, recipe, series, origin)
    assume(expected is not None)
    assert expected is not None
    part = slice(row - lookback + 1, len(time))
    known = values[part].copy()
    known[row + 1 - part.start :, ~recipe.futures] = np.nan
    steps = steps_of(recipe, series, Trace.new(recipe), time[part], known)
    assert [s.time for s in steps] == [origin - HOUR * k for k in range(lookback)][::-1]
    linear = table.gaps.fill == "linear"
    for name in (*table.roles.targets, *table.roles.covariates.past):
        got = np.asarray([s.inputs[name] for s in steps], np.float32)
        if not linear or name == "observed":
            np.testing.assert_array_equal(got, expected[name])
        else:
            column = table.roles.dynamic.index(name)
            seen = ~np.isnan(known[:, column])
            there = np.isin([s.time for s in steps], time[part][seen])
            np.testing.assert_array_equal(got[there], expected[name][there])
    for name in table.roles.covariates.future:
        np.testing.assert_array_equal(steps[-1].inputs[name], expected[name][lookback - 1 :])
    if table.roles.covariates.calendar:
        assert steps[-1].inputs["time"] == expected["time"]


def same(a: Step, b: Step) -> None:
    assert a.time == b.time
    assert a.inputs.keys() == b.inputs.keys()
    for name in a.inputs:
        np.testing.assert_array_equal(a.inputs[name], b.inputs[name], err_msg=name)
    for name in ("last", "missing", "ahead"):
        np.testing.assert_array_equal(getattr(a.after, name), getattr(b.after, name))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(futures(), st.data())
def test_it_does_not_matter_in_how_many_parts_rows_come(table: Table, data: st.DataObject) -> None:
    recipe = recipe_of(table)
    series = data.draw(st.sampled_from(sorted(table.steps)))
    time, values = table.time(series), table.values[series].copy()
    begin = np.flatnonzero(~np.isnan(values).any(axis=1))
    rows = np.flatnonzero(~np.isnan(values[:, : len(table.roles.targets)]).all(axis=1))
    assume(len(begin) and rows[-1] > begin[0])
    time, values = time[begin[0] :], values[begin[0] :]
    rows = rows[rows >= begin[0]] - begin[0]
    cut = int(data.draw(st.sampled_from(rows[:-1].tolist())))
    try:
        whole = steps_of(recipe, series, Trace.new(recipe), time, values)
    except BadInputError:
        reject()
    hidden = values.copy()
    hidden[cut + 1 :, ~recipe.futures] = np.nan
    first = steps_of(recipe, series, Trace.new(recipe), time, hidden)
    # Futures that were given before need not be given again.
    later = values[cut + 1 :].copy()
    later[: table.spec.reach, recipe.futures] = np.nan
    second = steps_of(recipe, series, first[-1].after, time[cut + 1 :], later)
    assert len(first) + len(second) == len(whole)
    for a, b in zip(whole, [*first, *second], strict=True):
        same(a, b)


SMALL = Roles(targets=("y",), covariates=Covariates(past=("p", "observed"), future=("f",)))


def small(**change: Any) -> Table:
    base: dict[str, Any] = {
        "steps": {},
        "values": {},
        "roles": SMALL,
        "spec": WindowSpec(lookback=4, horizon=2),
        "gaps": GapsConfig(max=2, fill="linear"),
        "borders": (0, 1, 2, 3),
    }
    return Table(**{**base, **change})


def feed(
    rows: dict[float, tuple[float, float, float]], trace: Trace | None = None, **change: Any
) -> list[Step]:
    recipe = small(**change).recipe()
    time = (START + HOUR * np.asarray(list(rows))).astype(np.int64)
    values = np.asarray(list(rows.values()), np.float32)
    return steps_of(recipe, "s", trace or Trace.new(recipe), time, values)


BEGIN = {0.0: (1.0, 0.0, 0.0), 1.0: (NAN, NAN, 100.0), 2.0: (NAN, NAN, 200.0)}


def test_holes_repeat_the_last_value_and_are_marked() -> None:
    steps = feed(
        {
            **BEGIN,
            3.0: (4, 30, 300),
            4.0: (NAN, NAN, NAN),
            5.0: (NAN, NAN, 500),
        }
    )
    assert [s.inputs["y"] for s in steps] == [1, 1, 1, 4]
    assert [s.inputs["p"] for s in steps] == [0, 0, 0, 30]
    assert [s.inputs["observed"] for s in steps] == [1, 0, 0, 1]
    # What is known of the future is interpolated, but not with what lies after the horizon.
    np.testing.assert_allclose(steps[0].inputs["f"], [0, 100, 200])
    np.testing.assert_allclose(steps[2].inputs["f"], [200, 300, 300])
    np.testing.assert_allclose(steps[3].inputs["f"], [300, 400, 500])
    rows = {5.0: (6.0, 60.0, NAN), 6.0: (NAN, NAN, 600.0), 7.0: (NAN, NAN, 900.0)}
    more = feed(rows, steps[-1].after)
    assert [s.inputs["observed"] for s in more] == [0, 1]
    np.testing.assert_allclose(more[0].inputs["f"], [400, 500, 600])
    np.testing.assert_allclose(more[1].inputs["f"], [500, 600, 900])


@pytest.mark.parametrize(("borders", "between"), [((0, 9, 10, 11), 100.0), ((0, 1, 9, 11), 0.0)])
def test_no_hole_is_interpolated_over_the_border_of_a_split(
    borders: tuple[int, ...], between: float
) -> None:
    rows = {**BEGIN, 1.0: (NAN, NAN, NAN)}
    (step,) = feed(rows, borders=borders)
    np.testing.assert_allclose(step.inputs["f"], [0, between, 200])


def test_a_step_without_a_value_is_a_step() -> None:
    (first,) = feed(BEGIN)
    rows = dict.fromkeys((1.0, 2.0, 3.0), (NAN, NAN, 1.0))
    steps = feed(rows, first.after)
    assert [s.inputs["observed"] for s in steps] == [0]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({0.0: (1, NAN, 1)}, "'p' has no value at .* the first step"),
        ({0.0: (1, 1, 1), 1.0: (1, 1, 1)}, "future covariate 'f' is not known at 2001-09-09T04"),
        ({0.0: (1, 1, 1), 4.0: (1, 1, 1)}, "no rows for 3 steps up to"),
        ({float(t): (1, NAN if t else 1, 1) for t in range(9)}, "'p' has no value for 3 steps"),
        ({0.0: (1, 1, 1), 1.5: (1, 1, 1)}, "not on the grid of 'h'"),
        ({0.0: (1, 1, 1), 0.1: (1, 1, 1)}, "not on the grid"),
        ({1.0: (1, 1, 1), 1.0 + 1e-9: (1, 1, 1)}, "is there twice"),
        ({0.0: (1, 1, 1), 1.0: (NAN, NAN, NAN), 2.0: (NAN, NAN, NAN)}, "future covariate 'f'"),
    ],
)
def test_what_cannot_be_fed_is_said(rows: dict[float, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        feed(rows)


def test_time_only_goes_forward() -> None:
    after = feed(BEGIN)[-1].after
    for time in (0.0, -3.0):
        with pytest.raises(BadInputError, match=r"is not after the last step .* the next one is"):
            feed({time: (1, 1, 1)}, after)
    with pytest.raises(BadInputError, match="no rows for 5 steps up to"):
        feed({6.0: (1, 1, 1)}, after)


def test_a_time_far_away_asks_for_no_memory() -> None:
    after = feed(BEGIN)[-1].after
    with pytest.raises(BadInputError, match="no rows for 999999999 steps up to"):
        feed({1e9: (1, 1, 1)}, after)
    rows = {1.0: (1, 1, 1), 2.0: (NAN, NAN, 1), 3.0: (NAN, NAN, 1), 1e9: (NAN, NAN, 1)}
    assert len(feed(rows, after)) == 1


def test_nothing_was_fed_before_the_first_step() -> None:
    trace = Trace.new(small().recipe())
    assert trace.time == NEVER
    assert np.isnan(trace.last).all()
