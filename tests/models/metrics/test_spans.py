from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.metrics.spans import SpanScores, marks_spans
from models.sequences.predictions import SequencePredictions

CLASSES = ("B-city", "B-time", "I-city", "I-time", "O")


def spans(names):
    """Spans of one sequence, as a reader finds them from left to right."""
    found, open_ = set(), None
    for i, name in enumerate([*names, "O"]):
        prefix, _, kind = name.partition("-")
        if open_ is not None and (prefix != "I" or kind != open_[1]):
            found.add((open_[0], i, open_[1]))
            open_ = None
        if prefix != "O" and open_ is None:
            open_ = (i, kind)
    return found


def scores(labels, guesses, lengths):
    flat = np.array([CLASSES.index(n) if n else -1 for row in labels for n in row], np.int32)
    guess = np.array([CLASSES.index(n) if n else -1 for row in guesses for n in row], np.int32)
    half = np.full(len(guess), 0.5, np.float32)
    return SpanScores.of(
        flat, SequencePredictions(guess, half, half), CLASSES, np.asarray(lengths, np.int64)
    )


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_spans_are_those_of_a_reader(data):
    lengths = data.draw(st.lists(st.integers(1, 7), min_size=1, max_size=4))
    names = st.sampled_from(CLASSES)
    rows = [data.draw(st.lists(names, min_size=n, max_size=n)) for n in lengths]
    # Few mistakes, or hardly any span would be right.
    guesses = [[data.draw(st.sampled_from([n, n, n, *CLASSES])) for n in row] for row in rows]
    found = scores(rows, guesses, lengths)
    true, guessed = [spans(r) for r in rows], [spans(r) for r in guesses]
    assert found.support == sum(map(len, true))
    assert found.predicted == sum(map(len, guessed))
    assert found.correct == sum(len(a & b) for a, b in zip(true, guessed, strict=True))


def test_f1_of_a_case_by_hand():
    label = [["B-city", "I-city", "O", "B-time"], ["B-city"]]
    guess = [["B-city", "O", "O", "B-time"], ["I-city"]]
    found = scores(label, guess, [4, 1])
    # The time is right, so is the city of the second sequence; the first city is cut short.
    assert (found.support, found.predicted, found.correct) == (3, 3, 2)
    assert found.f1 == pytest.approx(2 / 3)


def test_an_unknown_label_is_a_span_nobody_finds():
    found = scores([["B-city", "", "I-city"]], [["B-city", "O", "I-city"]], [3])
    assert (found.support, found.predicted, found.correct) == (3, 2, 2)


def test_a_prediction_of_no_class_marks_nothing():
    found = scores([["B-city", "I-city"]], [["B-city", ""]], [2])
    assert (found.support, found.predicted, found.correct) == (1, 1, 0)


def test_without_spans_there_is_no_f1():
    assert np.isnan(scores([["O", "O"]], [["O", "O"]], [2]).f1)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (CLASSES, True),
        (("B-x", "O"), True),
        (("B-x",), True),
        (("O",), False),
        (("I-x", "O"), False),
        (("NN", "O", "B-x"), False),
        (("B-", "O"), False),
        (("B-x", "E-x", "O"), False),
    ],
)
def test_which_labels_mark_spans(classes, expected):
    assert marks_spans(classes) is expected
