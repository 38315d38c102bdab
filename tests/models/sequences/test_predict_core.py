from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from models.sequences.predict import length_batches, predict_core
from models.sequences.predictions import SequencePredictions
from tests.models.sequences.stores import KINDS, store_of
from tests.models.sequences.tiny_core import TinyCore


def one_by_one(core, view):
    """The predictions from NumPy alone, sequence after sequence."""
    rows = []
    for i in range(len(view)):
        one = view.take(np.array([i]))
        tokens = [one.token_ids(c) for c in view.store.spec.inputs.tokens]
        rows.append(np.atleast_2d(core.reference(one.numbers(), tokens)))
    return SequencePredictions.of(np.concatenate(rows), view.labels())


@pytest.mark.parametrize("kind", KINDS)
def test_batches_of_like_length_say_what_sequences_say_one_by_one(kind):
    store = store_of(kind)
    core = TinyCore(store)
    # Not in the order of the store, and one of them twice.
    size = len(store.view("test"))
    view = store.view("test").take(np.array([size - 1, *range(size - 1), 0]))
    want = one_by_one(core, view)
    for batch_size in (2, 256):
        got = predict_core(core, view, batch_size)
        np.testing.assert_array_equal(got.predicted, want.predicted)
        np.testing.assert_allclose(got.probability, want.probability, atol=1e-6)
        np.testing.assert_allclose(got.confidence, want.confidence, atol=1e-6)


def test_every_sequence_is_in_one_batch_and_batches_stay_small(monkeypatch):
    view = store_of("classify_mixed").view("train")
    batches = list(length_batches(view, 5))
    assert sorted(np.concatenate(batches)) == list(range(len(view)))
    assert max(map(len, batches)) == 5
    lengths = [view.steps[b] for b in batches]
    assert all(a.max() <= b.min() for a, b in pairwise(lengths))
    monkeypatch.setattr("models.sequences.predict.MOST_VALUES", 7)
    small = list(length_batches(view, 5))
    assert sorted(np.concatenate(small)) == list(range(len(view)))
    assert all(len(b) == 1 or len(b) * 3 <= 7 for b in small)
    with pytest.raises(ValueError, match="batch_size"):
        next(length_batches(view, 0))


def test_a_core_that_gives_no_number_is_said_to_do_so():
    store = store_of("tag")
    core = TinyCore(store)
    core._o.assign(np.full(core._o.shape, np.nan))
    got = predict_core(core, store.view("test"))
    known = store.view("test").labels() >= 0
    assert (got.predicted == -1).all()
    assert np.isnan(got.probability[known]).all()
    assert (got.probability[~known] == 0).all()
    assert np.isnan(got.confidence).all()
