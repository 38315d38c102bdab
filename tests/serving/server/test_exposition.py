"""The page that Prometheus reads: every line in its grammar, every number as counted."""

from __future__ import annotations

import math
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.server.exposition import Histogram, Scalar, exponential, page
from tests.serving.server.prometheus_text import parse

LABEL_VALUES = st.text(alphabet=st.characters(exclude_characters="\x00"), max_size=12)


@given(st.dictionaries(st.tuples(LABEL_VALUES, LABEL_VALUES), st.integers(0, 10**15), max_size=5))
def test_a_counter_comes_back_from_the_page_as_it_was(samples: dict[tuple[str, str], int]) -> None:
    counter = Scalar(":a:b", "counter", ("one", "two"))
    for labels, value in samples.items():
        counter.add(labels, value)
    found = parse(page([counter]))
    assert found.types == {":a:b": "counter"}
    assert {(labels["one"], labels["two"]): value for _, labels, value in found.samples} == samples


@given(st.lists(st.floats(0, 1e12, allow_nan=False), max_size=30))
def test_a_histogram_counts_what_lies_at_or_below_each_bound(values: list[float]) -> None:
    bounds = exponential(10, 1.8, 33)
    histogram = Histogram("h", ("model",), bounds)
    for value in values:
        histogram.observe(("m",), value)
    samples = parse(page([histogram])).samples
    if not values:
        assert samples == []
        return
    buckets = [(s[1]["le"], s[2]) for s in samples if s[0] == "h_bucket"]
    assert [b for b, _ in buckets[:-1]] == [f"{b:.6g}" for b in bounds]
    assert buckets[-1] == ("+Inf", len(values))
    for (_, count), bound in zip(buckets, bounds, strict=False):
        assert count == sum(value <= bound for value in values)
    assert {s[0]: s[2] for s in samples}["h_count"] == len(values)
    total = next(s[2] for s in samples if s[0] == "h_sum")
    assert total == pytest.approx(math.fsum(values))


def test_the_bounds_are_those_of_tf_serving() -> None:
    # As pages of tensorflow_model_server show them.
    known = ["10", "18", "32.4", "58.32", "104.976", "188.957", "340.122", "612.22"]
    bounds = [f"{b:.6g}" for b in exponential(10, 1.8, 33)]
    assert bounds[: len(known)] == known
    assert "708235" in bounds
    assert len(bounds) == 33


def test_labels_are_escaped() -> None:
    gauge = Scalar("g", "gauge", ("name",))
    gauge.set(('a\\b"c\nd',), 1.5)
    assert page([gauge]) == '# TYPE g gauge\ng{name="a\\\\b\\"c\\nd"} 1.5\n'


def test_a_large_sum_keeps_every_digit() -> None:
    histogram = Histogram("h", (), (1.0,))
    histogram.observe((), 123_456_789_012)
    histogram.observe((), 0.5)
    assert "h_sum{} 123456789012.5\n" in page([histogram])


def test_a_dropped_sample_is_gone() -> None:
    gauge = Scalar("g", "gauge", ("name",))
    gauge.set(("a",), 1)
    gauge.set(("b",), 2)
    gauge.drop(("a",))
    gauge.drop(("never there",))
    assert page([gauge]).splitlines()[1:] == ['g{name="b"} 2']


def test_nothing_is_lost_between_threads() -> None:
    counter = Scalar("c", "counter", ("thread",))
    histogram = Histogram("h", (), (10.0,))

    def work(name: str) -> None:
        for _ in range(2000):
            counter.add((name,))
            histogram.observe((), 1)

    threads = [threading.Thread(target=work, args=(str(i % 2),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Counter(
        {(s[0], *s[1].values()): s[2] for s in parse(page([counter, histogram])).samples}
    )
    assert found["c", "0"] == found["c", "1"] == 4000
    assert found["h_count",] == 8000


@pytest.mark.parametrize(
    "text",
    [
        "a 1",  # no type before it
        "# TYPE a counter\na{b=c} 1\n",
        '# TYPE a counter\na{b="c"} one\n',
        '# TYPE a counter\na{b="c"} 1',  # the last line has no end
        '# TYPE a histogram\na_bucket{le="1"} 1\n',  # no +Inf
        '# TYPE a counter\na{b="c"} 1\na{b="c"} 2\n',
    ],
)
def test_the_grammar_of_these_tests_refuses_what_is_wrong(text: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        parse(text)


def test_the_grammar_knows_every_escape() -> None:
    assert parse('# TYPE a gauge\na{b="\\\\n\\n\\""} 1\n').samples[0][1] == {"b": '\\n\n"'}
