"""Properties of sequence networks: padding, order of time, steps, and the textbook's gradients."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.errors import BadInputError
from models.export.portable import portable_copy
from models.features.scaling import Scaling
from models.reference.bptt import bptt
from models.reference.elman import ElmanWeights
from models.sequences.config import SequenceModelConfig
from models.sequences.losses import ClassLoss
from models.sequences.network import build_sequence_network
from models.sequences.network_core import NetworkCore
from models.sequences.spec import SequenceInputs, SequenceSpec

MIXED = SequenceInputs(numbers=("a", "b"), symbols=("w",))
WORDS = {"w": ("x", "y", "z")}
SCALING = Scaling.of({"a": (1.0, 2.0), "b": (0.0, 0.0)})
LENGTH = np.array([4, 1, 3], np.int32)
CASES = [
    ("simple_rnn", False, "classify", "last"),
    ("simple_rnn", True, "tag", "last"),
    ("lstm", False, "classify", "mean"),
    ("lstm", True, "classify", "last"),
    ("gru", False, "tag", "last"),
    ("gru", True, "classify", "max"),
    ("second_order", False, "classify", "max"),
    ("second_order", True, "classify", "mean"),
]


def spec(task: Any, inputs: SequenceInputs = MIXED) -> SequenceSpec:
    return SequenceSpec(task=task, inputs=inputs, target=None if task == "next_step" else "y")


def network(task: Any, inputs: SequenceInputs = MIXED, **model: Any) -> keras.Model:
    """With random weights everywhere, where some would start at zero."""
    made = build_sequence_network(
        spec=spec(task, inputs),
        vocabularies=WORDS,
        classes=3,
        model=SequenceModelConfig(**model),
        scaling=SCALING,
        seed=3,
    )
    rng = np.random.default_rng(1)
    for variable in made.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.5)
    return made


def batch(time: int = 4) -> tuple[Any, Any]:
    rng = np.random.default_rng(2)
    numbers = rng.normal(1, 2, (3, time, 2)).astype(np.float32)
    return numbers, rng.integers(1, 5, (3, time)).astype(np.int32)


@pytest.mark.parametrize(("cell", "bidirectional", "task", "pooling"), CASES)
def test_padding_company_and_later_steps_change_nothing(
    cell: str, bidirectional: bool, task: str, pooling: str
) -> None:
    made = network(
        task,
        cell=cell,
        units=(3, 4),
        bidirectional=bidirectional,
        pooling=pooling,
        shortcut=True,
        dropout=0.2,
    )
    core = NetworkCore(made)
    numbers, ids = batch()
    together = core(numbers, (ids,), LENGTH).numpy()
    assert together.dtype == np.float32
    wild = np.full((3, 7, 2), 1e4, np.float32)
    other = np.full((3, 7), 2, np.int32)
    for row, length in enumerate(LENGTH):
        wild[row, :length], other[row, :length] = numbers[row, :length], ids[row, :length]
    padded_numbers, padded_ids = tf.constant(wild), tf.constant(other)
    with tf.GradientTape() as tape:
        tape.watch(padded_numbers)
        padded = core(padded_numbers, (padded_ids,), LENGTH)
        real = padded if task == "classify" else padded[np.arange(7) < LENGTH[:, None]]
        total = tf.reduce_sum(real**2)
    gradient = tape.gradient(total, padded_numbers).numpy()
    assert np.isfinite(padded).all()
    for row, length in enumerate(LENGTH):
        alone = core(numbers[row : row + 1, :length], (ids[row : row + 1, :length],), [length])
        for batched in (together, padded.numpy()):
            seen = batched[row] if task == "classify" else batched[row, :length]
            np.testing.assert_allclose(seen, alone.numpy()[0], rtol=1e-5, atol=1e-5)
        assert (gradient[row, length:] == 0).all()
        assert (gradient[row, :length, 0] != 0).any()

    if task == "tag":
        later = numbers.copy()
        later[:, 2] += 5
        moved = core(later, (ids,), LENGTH).numpy()
        assert np.array_equal(moved[:, :2], together[:, :2]) == (not bidirectional)
        assert not np.allclose(moved[0, 2], together[0, 2])
    stepper = core.stepper()
    if bidirectional:
        assert "backward direction" in str(stepper)
        return
    assert not isinstance(stepper, str)
    state = stepper.init(tf.constant(3))
    assert {name: tuple(value.shape[1:]) for name, value in state.items()} == dict(stepper.state)
    for step in range(4):
        logits, state = stepper.step(numbers[:, step], (ids[:, step],), state)
        for row, length in enumerate(LENGTH):
            if task == "tag" and step < length:
                np.testing.assert_allclose(logits[row], together[row, step], rtol=1e-5, atol=1e-5)
            elif step == length - 1:
                np.testing.assert_allclose(logits[row], together[row], rtol=1e-5, atol=1e-5)


def test_the_vector_of_padding_is_never_learned() -> None:
    made = network("next_step", SequenceInputs(symbols=("w",)), cell="gru", units=(3,))
    ids = np.array([[2, 3, 0], [4, 0, 0]], np.int32)
    labels = np.array([[1, 2, -1], [0, -1, -1]], np.int32)
    with tf.GradientTape() as tape:
        inputs = {"tokens_0": ids, "length": np.array([2, 1], np.int32)}
        total, _ = ClassLoss()(labels, made(inputs, training=True))
    vectors = made.get_layer("elman_symbols_0").embeddings
    rows = tf.convert_to_tensor(tape.gradient(total, vectors)).numpy()
    assert [bool((row != 0).any()) for row in rows] == [False, False, True, True, True]


@pytest.mark.parametrize("task", ["tag", "next_step"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_gradients_are_those_of_the_textbook(task: str, activation: Any) -> None:
    inputs = SequenceInputs(numbers=("a", "b")) if task == "tag" else SequenceInputs(symbols=("w",))
    made = network(
        task, inputs, cell="simple_rnn", units=(5,), activation=activation, normalize="none"
    )
    numbers, ids = batch()
    labels = np.random.default_rng(3).integers(0, 3, ids.shape).astype(np.int32)
    labels[np.arange(4) >= LENGTH[:, None]] = -1
    labels[0, 1] = -1  # a class that is not known
    weight = np.array([0.5, 1.0, 2.0], np.float32)
    feed = {"length": LENGTH, **({"numbers": numbers} if task == "tag" else {"tokens_0": ids})}
    with tf.GradientTape() as tape:
        total, _ = ClassLoss(weight)(labels, made(feed, training=True))
    variables = made.trainable_variables
    got = {
        v.path: np.asarray(tf.convert_to_tensor(g))
        for v, g in zip(variables, tape.gradient(total, variables), strict=True)
    }
    values = [v.numpy().astype(np.float64) for v in variables[-5:]]
    x = numbers if task == "tag" else variables[0].numpy()[ids]
    w = np.where(labels < 0, 0, weight[np.maximum(labels, 0)])
    want = bptt(
        ElmanWeights(*values),
        x.astype(np.float64),
        np.eye(3)[np.maximum(labels, 0)],
        activation=activation,
        error="cross_entropy",
        w=w,
    )
    np.testing.assert_allclose(total, want.E, rtol=1e-5)
    exact = want.weights
    for name, gradient in zip(
        list(got)[-5:], (exact.W_x, exact.W_s, exact.b, exact.W_y, exact.b_y), strict=True
    ):
        np.testing.assert_allclose(got[name], gradient, rtol=1e-4, atol=1e-5, err_msg=name)


def test_numbers_are_scaled_in_float32_whatever_the_policy() -> None:
    inputs = SequenceInputs(numbers=("a",))
    keras.config.set_dtype_policy("mixed_float16")
    try:
        made = build_sequence_network(
            spec=spec("tag", inputs),
            vocabularies={},
            classes=2,
            model=SequenceModelConfig(cell="gru", units=(3,)),
            scaling=Scaling.of({"a": (70_000.0, 2.0)}),  # beyond float16
            seed=1,
        )
        feed = {
            "numbers": np.array([[[70_001.0], [69_998.0]]], np.float32),
            "length": np.array([2], np.int32),
        }
        half = made(feed).numpy()
    finally:
        keras.config.set_dtype_policy("float32")
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, portable_copy(made)(feed).numpy(), atol=2e-3)


def test_equal_seeds_give_equal_networks_and_the_unknown_symbol_starts_at_zero() -> None:
    def made(seed: int) -> list[Any]:
        return build_sequence_network(
            spec=spec("classify"),
            vocabularies=WORDS,
            classes=2,
            model=SequenceModelConfig(cell="simple_rnn", units=(3,)),
            scaling=SCALING,
            seed=seed,
        ).get_weights()

    first, again, other = made(1), made(1), made(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert (first[0][:2] == 0).all()
    assert (first[0][2:] != 0).all()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"spec": spec("next_step", SequenceInputs(symbols=("w",)))}, "bidirectional: false"),
        ({"classes": 1}, "at least 2"),
        ({"scaling": Scaling.of({"a": (0.0, 1.0)})}, r"\['b'\] have no train statistics"),
    ],
)
def test_what_cannot_be_built_is_refused(changes: dict[str, Any], word: str) -> None:
    given: dict[str, Any] = {
        "spec": spec("classify"),
        "vocabularies": WORDS,
        "classes": 2,
        "model": SequenceModelConfig(units=(2,), bidirectional=True),
        "scaling": SCALING,
        "seed": 1,
    }
    with pytest.raises(BadInputError, match=word):
        build_sequence_network(**{**given, **changes})


def test_symbols_past_those_it_knows_are_unknown_ones_to_the_network() -> None:
    inputs = SequenceInputs(symbols=("w",))
    few, cut = (
        build_sequence_network(
            spec=spec("classify", inputs),
            vocabularies={"w": words},
            classes=2,
            model=SequenceModelConfig(cell="gru", units=(3,), **changes),
            scaling=SCALING,
            seed=7,
        )
        for words, changes in ((("a", "b"), {}), (("a", "b", "c", "d"), {"symbols": 2}))
    )
    # The first two of the four are the frequent ones; unknown to the few is all that is not 2 or 3.
    ids, length = tf.constant([[2, 3, 4, 5], [5, 2, 4, 1]]), tf.constant([4, 4])
    numbers = tf.zeros([2, 4, 0])
    np.testing.assert_array_equal(
        NetworkCore(cut)(numbers, (ids,), length),
        NetworkCore(few)(numbers, (tf.where(ids < 4, ids, 1),), length),
    )
    assert cut.count_params() == few.count_params()
