from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.sequences.core import SequenceCore
from models.sequences.export.sampling import MOST_SYMBOLS, Sampler
from tests.models.sequences.stores import next_symbols
from tests.models.sequences.tiny_core import TinyCore

STORE = next_symbols()
CORE = TinyCore(STORE)
TOKENS = np.array([[2, 3, 4, 1], [5, 0, 0, 0], [3, 2, 0, 0]], np.int32)
LENGTH = np.array([4, 1, 2], np.int32)


@pytest.fixture(scope="module")
def samplers():
    made = {"stepping": Sampler(CORE, CORE.stepper(), STORE.classes)}
    made["reading again"] = Sampler(CORE, None, STORE.classes)
    # As in a signature, one graph for all shapes.
    spec = (
        tf.TensorSpec((None, None), tf.int32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None,), tf.float32),
        tf.TensorSpec((None,), tf.int64),
    )
    return {
        name: tf.function(sampler, input_signature=spec, autograph=False)
        for name, sampler in made.items()
    }


def drawn(sampler, steps, temperature, seed, rows=(0, 1, 2)):
    rows = list(rows)
    result = sampler(
        TOKENS[rows],
        LENGTH[rows],
        np.full(len(rows), steps, np.int32),
        np.full(len(rows), temperature, np.float32),
        np.asarray(seed, np.int64)[rows],
    )
    return [[s.decode() for s in row] for row in result.numpy()]


def expected(ids, temperature):
    """Probabilities of what follows `ids`, by the definition."""
    p = CORE.reference(np.zeros((len(ids), 0)), [np.asarray(ids)])[-1]
    p = np.where(np.arange(len(p)) == 0, 0.0, p) ** (1 / temperature)
    return p / p.sum()


@pytest.mark.parametrize("name", ["stepping", "reading again"])
def test_at_temperature_0_the_most_probable_symbol_follows(samplers, name):
    got = drawn(samplers[name], 7, 0.0, [1, 2, 3])
    for row, length, symbols in zip(TOKENS, LENGTH, got, strict=True):
        ids = list(row[:length])
        for symbol in symbols:
            best = int(np.argmax(expected(ids, 1.0)))
            assert symbol == STORE.classes[best]
            ids.append(best + 1)


def test_both_ways_of_reading_draw_the_same_symbols(samplers):
    seeds = [7, -8, 2**62]
    assert drawn(samplers["stepping"], 70, 1.3, seeds) == drawn(
        samplers["reading again"], 70, 1.3, seeds
    )


def test_a_row_depends_on_its_own_seed_alone(samplers):
    sampler = samplers["stepping"]
    together = drawn(sampler, 80, 1.0, [5, 6, 5])
    for row in range(3):
        assert drawn(sampler, 80, 1.0, [5, 6, 5], rows=[row]) == [together[row]]
        # Also across the blocks in which numbers are made.
        assert drawn(sampler, 3, 1.0, [5, 6, 5], rows=[row])[0] == together[row][:3]
    other = drawn(sampler, 80, 1.0, [9, 6, 5])
    assert other[0] != together[0]
    assert other[1:] == together[1:]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_symbols_come_as_often_as_the_model_expects(samplers, temperature):
    n = 4000
    result = samplers["stepping"](
        np.repeat(TOKENS[:1], n, axis=0),
        np.repeat(LENGTH[:1], n),
        np.full(n, 2, np.int32),
        np.full(n, temperature, np.float32),
        np.arange(n),
    ).numpy()
    first = expected(TOKENS[0], temperature)
    second = sum(
        first[c] * expected([*TOKENS[0], c + 1], temperature) for c in range(1, len(first))
    )
    for symbols, p in zip(result.T, (first, second), strict=True):
        for name, share in zip(STORE.classes, p, strict=True):
            found = (symbols == name.encode()).mean()
            assert abs(found - share) <= 4.5 * np.sqrt(share * (1 - share) / n) + 1e-12


def test_rows_end_at_their_own_steps(samplers):
    result = samplers["stepping"](
        TOKENS, LENGTH, np.array([0, 3, 1], np.int32), np.ones(3, np.float32), np.arange(3)
    ).numpy()
    assert result.shape == (3, 3)
    assert ((result != b"").sum(axis=1) == [0, 3, 1]).all()
    none = samplers["stepping"](
        TOKENS, LENGTH, np.zeros(3, np.int32), np.ones(3, np.float32), np.arange(3)
    )
    assert none.shape == (3, 0)


def test_the_unknown_symbol_never_comes_even_if_the_model_expects_nothing_else():
    class Unknown(SequenceCore):
        def __call__(self, numbers, tokens, length):
            shape = tf.concat([tf.shape(tokens[0]), [len(STORE.classes)]], 0)
            only = tf.one_hot(0, len(STORE.classes), 0.0, float("-inf"))
            return tf.broadcast_to(only, shape)

    result = Sampler(Unknown(), None, STORE.classes)(
        tf.constant(TOKENS),
        tf.constant(LENGTH),
        tf.constant([5, 5, 5]),
        tf.constant([1.0, 0.0, 9.0]),
        tf.constant([1, 2, 3], tf.int64),
    )
    assert set(result.numpy().ravel()) <= {c.encode() for c in STORE.classes[1:]}


@pytest.mark.parametrize(
    ("steps", "temperature", "message"),
    [
        (-1, 1.0, "steps must be 0 or more"),
        (1, -0.5, "temperature must be 0 or more"),
        (1, float("nan"), "temperature must be 0 or more"),
        (MOST_SYMBOLS, 1.0, "rows times steps must be at most"),
    ],
)
def test_impossible_wishes_are_refused(samplers, steps, temperature, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        drawn(samplers["stepping"], steps, temperature, [1, 2, 3])
