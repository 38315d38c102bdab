"""Training reads what the view says, once in an epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.sequences.buckets import Buckets
from models.sequences.dataset import SequenceGather, sequence_batches
from models.sequences.fit import network_inputs
from models.sequences.store import SequenceStore
from tests.models.sequences.fitted import cycles, first_symbol, rising


@pytest.mark.parametrize("made", [first_symbol, rising, cycles])
def test_batches_are_those_of_the_view(made: Callable[[int, int], SequenceStore]) -> None:
    view = made(21, 5).view("train")
    view = view.take(np.arange(20, 0, -1))
    buckets = Buckets(view.steps, np.array([4, 12]), 6)
    epochs = range(2, 4)
    dataset = sequence_batches(
        SequenceGather(view), buckets, lambda epoch: buckets.epoch(1, epoch), epochs
    )
    # Open shapes: a graph is traced once, not for every length.
    assert all(s.shape[0] is None for s in dataset.element_spec[0].values())
    found = iter(list(dataset))
    for epoch in epochs:
        for row, padded in zip(*buckets.epoch(1, epoch), strict=True):
            inputs, labels = next(found)
            want = view.take(row[row >= 0]).batch()
            wanted = network_inputs(want)
            assert set(inputs) == set(wanted)
            extra = padded - want.length.max()
            for name, values in wanted.items():
                wide = [(0, 0), (0, extra), (0, 0)][: values.ndim]
                expected = np.pad(values, wide) if name != "length" else values
                np.testing.assert_array_equal(inputs[name].numpy(), expected, err_msg=name)
            if want.labels.ndim == 2:
                expected = np.pad(want.labels, [(0, 0), (0, extra)], constant_values=-1)
                np.testing.assert_array_equal(labels.numpy(), expected)
            else:
                np.testing.assert_array_equal(labels.numpy(), want.labels)
    assert next(found, None) is None
