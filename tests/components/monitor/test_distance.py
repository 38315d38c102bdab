"""TFDV's comparators against scipy and a loop."""

from __future__ import annotations

import numpy as np
import pytest
import tfx.types  # noqa: F401 (before TFDV, which this build asks for)
from scipy.spatial.distance import jensenshannon

from components.monitor.columns import MISSING, OTHER, ColumnBins
from components.monitor.distance import Comparator

NUMBERS = ColumnBins.of_numbers(np.arange(100.0))
TEXTS = ColumnBins(np.zeros(0), ("a", "b", "c"))
COMPARATOR = Comparator({"number": NUMBERS, "text": TEXTS})


@pytest.mark.parametrize("seed", range(20))
def test_jensen_shannon_is_that_of_scipy(seed: int) -> None:
    draw = np.random.default_rng(seed)
    reference = draw.integers(0, 50, NUMBERS.size) * draw.integers(0, 2, NUMBERS.size)
    new = draw.integers(0, 9, NUMBERS.size) * draw.integers(0, 2, NUMBERS.size)
    reference[0] += 1
    new[3] += 1
    found = COMPARATOR.distances({"number": reference}, {"number": new})
    expected = jensenshannon(reference, new, base=2) ** 2
    assert found["number"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_texts_are_held_against_each_other_by_the_largest_difference_of_a_share(seed: int) -> None:
    draw = np.random.default_rng(seed)
    reference, new = draw.integers(1, 90, (2, TEXTS.size))
    found = COMPARATOR.distances({"text": reference}, {"text": new})
    expected = max(
        abs(a / reference.sum() - b / new.sum()) for a, b in zip(reference, new, strict=True)
    )
    assert found["text"] == pytest.approx(expected, abs=1e-9)


def test_the_ends_of_the_scale() -> None:
    some = np.zeros(NUMBERS.size, np.int64)
    some[2] = 7
    other = np.roll(some, 1)
    assert COMPARATOR.distances({"number": some}, {"number": 3 * some})["number"] == 0
    assert COMPARATOR.distances({"number": some}, {"number": other})["number"] == 1


def test_an_empty_side_has_no_distance() -> None:
    none = np.zeros(NUMBERS.size, np.int64)
    assert COMPARATOR.distances({"number": none}, {"number": none + 1}) == {}
    assert COMPARATOR.distances({"number": none + 1}, {"number": none}) == {}
    assert COMPARATOR.distances({}, {}) == {}


def test_every_value_has_a_bin_of_its_own_kind() -> None:
    values = [-1.0, 0.0, 50.0, 99.0, 99.5, np.nan]
    labels = [NUMBERS.labels[i] for i in NUMBERS.index(values)]
    assert labels[0].startswith("below")
    assert labels[4].endswith("above")
    assert labels[5] == MISSING
    assert len(set(labels[1:4])) == 3
    assert not any("below" in text or "above" in text for text in labels[1:4])
    assert [TEXTS.labels[i] for i in TEXTS.index(["b", "z", None])] == ["b", OTHER, MISSING]


def test_training_values_are_spread_evenly_over_the_inner_bins() -> None:
    values = np.random.default_rng(1).lognormal(size=10_000)
    counts = ColumnBins.of_numbers(values).count(values)
    assert counts.sum() == 10_000
    assert counts[0] == counts[-1] == counts[-2] == 0
    inner = counts[1:-2]
    inner = inner[inner > 1]  # the largest value may have a bin of its own
    np.testing.assert_allclose(inner, 1000, atol=2)


@pytest.mark.parametrize("values", [[5.0, 5.0, 5.0], [0.0, 1.0] * 20, [np.nan], [np.inf, 1.0]])
def test_constants_flags_and_nothing_at_all_have_bins_too(values: list[float]) -> None:
    bins = ColumnBins.of_numbers(values)
    assert (np.diff(bins.edges) > 0).all()
    known = np.asarray(values)
    distinct = np.unique(known[np.isfinite(known)])
    assert len(set(bins.index(distinct))) == len(distinct)
    assert bins.count(values).sum() == len(values)
    assert len(bins.labels) == bins.size
