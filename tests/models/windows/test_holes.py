"""Runs, segments and fills, against pandas and plain loops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from models.windows.hold import age, last_observed
from models.windows.holes import fill, runs, stretches

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30))


@given(st.lists(st.booleans(), max_size=40))
def test_runs_are_maximal(values: list[bool]) -> None:
    mask = np.array(values, np.bool_)
    found = runs(mask)
    painted = np.zeros_like(mask)
    for start, stop in found:
        assert start < stop
        painted[start:stop] = True
        assert start == 0 or not mask[start - 1]
        assert stop == len(mask) or not mask[stop]
    np.testing.assert_array_equal(painted, mask)
    assert (np.diff(found.ravel()) > 0).all()


@given(masks, st.integers(0, 5))
def test_stretches_hold_no_long_hole_and_lose_nothing(
    observed: npt.NDArray[np.bool_], longest: int
) -> None:
    spans = stretches(observed, longest)
    inside = np.zeros(len(observed), np.bool_)
    for start, stop in spans:
        assert observed[start].all()
        assert observed[stop - 1].all()
        inside[start:stop] = True
        for column in range(observed.shape[1]):
            holes = np.diff(runs(~observed[start:stop, column]))
            assert holes.max(initial=0) <= longest
    # Every complete step is in a stretch, and two stretches are parted by a long hole only.
    assert inside[observed.all(axis=1)].all()
    for (_, stop), (start, _) in pairwise(spans):
        between = [
            hole
            for column in range(observed.shape[1])
            for hole in runs(~observed[:, column])
            if hole[1] - hole[0] > longest and hole[0] < start and hole[1] > stop
        ]
        assert between


@st.composite
def segments(draw: st.DrawFn) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    observed = draw(masks).copy()
    observed[0] = observed[-1] = True
    numbers = st.floats(-1e3, 1e3, width=32)
    values = draw(arrays(np.float32, observed.shape, elements=numbers)).copy()
    values[~observed] = np.nan
    return values, observed


@given(segments())
def test_linear_is_that_of_pandas(
    segment: tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]],
) -> None:
    values, observed = segment
    expected = pd.DataFrame(values.astype(np.float64)).interpolate("linear").to_numpy()
    fill(values, observed, "linear", [], np.full(values.shape[1], np.nan))
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-4)


@given(segments())
def test_previous_is_that_of_pandas(
    segment: tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]],
) -> None:
    values, observed = segment
    expected = pd.DataFrame(values).ffill().to_numpy()
    fill(values, observed, "previous", [], np.full(values.shape[1], np.nan))
    np.testing.assert_array_equal(values, expected)


@given(segments(), st.lists(st.integers(-3, 35), max_size=4))
def test_linear_over_a_border_is_previous(
    segment: tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]], borders: list[int]
) -> None:
    values, observed = segment
    held = pd.DataFrame(values).ffill().to_numpy()
    line = pd.DataFrame(values.astype(np.float64)).interpolate("linear").to_numpy()
    fill(values, observed, "linear", borders, np.full(values.shape[1], np.nan))
    for column in range(values.shape[1]):
        for start, stop in runs(~observed[:, column]):
            # The split of a step changes at the step that a border names.
            crossed = any(start - 1 < border <= stop for border in borders)
            expected = (held if crossed else line)[start:stop, column]
            np.testing.assert_allclose(values[start:stop, column], expected, rtol=1e-5, atol=1e-4)


@given(segments())
def test_mean_is_what_it_is_given(
    segment: tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]],
) -> None:
    values, observed = segment
    means = np.arange(values.shape[1], dtype=np.float64)
    means[0] = np.nan
    held = pd.DataFrame(values).ffill().to_numpy()
    fill(values, observed, "mean", [5], means)
    np.testing.assert_array_equal(values[:, 0], held[:, 0])
    for column in range(1, values.shape[1]):
        assert (values[~observed[:, column], column] == means[column]).all()


@given(masks, st.data())
def test_last_observed_and_age_agree_with_a_loop(
    observed: npt.NDArray[np.bool_], data: st.DataObject
) -> None:
    cuts = data.draw(st.sets(st.integers(0, len(observed) - 1)))
    first = np.array(
        [max([c for c in cuts if c <= row], default=0) for row in range(len(observed))]
    )
    rows = np.arange(len(observed))
    for column in range(observed.shape[1]):
        expected = []
        for row in rows:
            found = row
            while not observed[found, column] and found > first[row]:
                found -= 1
            expected.append(found)
        assert last_observed(observed, first, rows, column).tolist() == expected
        assert (rows - age(observed[:, column], first)).tolist() == expected
