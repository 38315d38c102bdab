from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from models.errors import FailedRunError
from models.sequences.predictions import SequencePredictions


@given(
    nps.arrays(
        np.float32,
        st.tuples(st.integers(0, 8), st.integers(1, 5)),
        elements=st.floats(0, 1, width=32),
    ),
    st.data(),
)
def test_probabilities_become_the_likeliest_class_and_the_share_of_the_true_one(table, data):
    labels = data.draw(
        nps.arrays(np.int32, len(table), elements=st.integers(-1, table.shape[1] - 1))
    )
    found = SequencePredictions.of(table, labels)
    assert len(found) == len(table)
    assert (found.predicted.dtype, found.probability.dtype) == (np.int32, np.float32)
    np.testing.assert_array_equal(found.confidence, table.max(axis=1))
    for row, label, predicted, probability in zip(
        table, labels, found.predicted, found.probability, strict=True
    ):
        assert predicted == list(row).index(max(row))
        assert probability == (0 if label < 0 else row[label])


def test_a_row_that_is_not_a_number_predicts_nothing():
    table = np.array([[0.2, np.nan], [0.4, 0.6], [np.nan, np.nan]], np.float32)
    found = SequencePredictions.of(table, np.array([0, 1, -1], np.int32))
    assert found.predicted.tolist() == [-1, 1, -1]
    np.testing.assert_array_equal(found.probability, np.array([np.nan, 0.6, 0], np.float32))
    np.testing.assert_array_equal(found.confidence, np.array([np.nan, 0.6, np.nan], np.float32))


def test_files_give_back_what_was_saved(tmp_path):
    path = tmp_path / "predictions.npz"
    half, quarter = np.array([0.5, 0.5], np.float32), np.array([0.5, 0.25], np.float32)
    kept = SequencePredictions(np.array([1, -1], np.int32), quarter, half)
    kept.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["predictions.npz"]
    again = SequencePredictions.load(path)
    np.testing.assert_array_equal(again.predicted, kept.predicted)
    np.testing.assert_array_equal(again.probability, kept.probability)
    np.testing.assert_array_equal(again.confidence, kept.confidence)


def test_a_file_that_is_missing_or_another_is_told(tmp_path):
    with pytest.raises(FailedRunError, match="does not exist"):
        SequencePredictions.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    for name in ("text.npz", "other.npz"):
        with pytest.raises(FailedRunError, match="holds no predictions"):
            SequencePredictions.load(tmp_path / name)


def test_every_label_has_one_prediction_and_one_probability():
    with pytest.raises(ValueError, match="one entry per label"):
        SequencePredictions(np.zeros(2, np.int32), np.zeros(3, np.float32), np.zeros(2, np.float32))
