"""The same series under another window definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.windows.restated import restated
from models.windows.spec import WindowSpec
from tests.stores import make_store

specs = st.builds(
    WindowSpec,
    lookback=st.integers(1, 9),
    horizon=st.integers(1, 4),
    stride=st.integers(1, 3),
    gap=st.integers(0, 2),
)
lengths = st.lists(st.integers(1, 40), min_size=1, max_size=4)


def segments(steps: list[int]) -> list[tuple[str, int, np.ndarray]]:
    """Segments of two series, the second one from the third segment on."""
    found, hour = [], 0
    for i, n in enumerate(steps):
        if i == 2:
            hour = 0
        found.append(("a" if i < 2 else "b", hour, np.arange(n, dtype=float)))
        hour += n + 3
    return found


@given(steps=lengths, before=specs, after=specs)
def test_it_is_the_store_that_would_have_been_built(
    steps: list[int], before: WindowSpec, after: WindowSpec
) -> None:
    cuts = (20, 30, 60)
    found = restated(make_store(segments(steps), before, cuts), after)
    expected = make_store(segments(steps), after, cuts)
    assert found.spec == after
    for split, rows in expected.origins.items():
        np.testing.assert_array_equal(found.origins[split], rows, err_msg=split)
    np.testing.assert_array_equal(found.values, expected.values)


def test_validation_windows_may_be_those_with_room_for_a_longer_lookback() -> None:
    series = [("", 0, np.arange(15.0)), ("", 20, np.arange(40.0))]
    short, long = WindowSpec(lookback=2, horizon=2), WindowSpec(lookback=9, horizon=2, stride=2)
    store = make_store(series, short, (10, 50, 60))
    found = restated(store, short, validation=long)
    np.testing.assert_array_equal(found.origins["train"], store.origins["train"])
    np.testing.assert_array_equal(
        found.origins["validation"], make_store(series, long, (10, 50, 60)).origins["validation"]
    )
    assert set(found.origins["validation"]) < set(store.origins["validation"])


@pytest.mark.parametrize("other", [{"lookback": 1}, {"horizon": 3}, {"gap": 1}])
def test_windows_of_another_question_are_refused(other: dict[str, int]) -> None:
    spec = WindowSpec(lookback=2, horizon=2)
    store = make_store([("", 0, np.arange(30.0))], spec, (10, 20, 30))
    with pytest.raises(ValueError, match="are no windows of"):
        restated(store, spec, validation=spec.model_copy(update=other))
