"""Operations of a work, against those in the graph that TensorFlow differentiates by itself."""

from __future__ import annotations

from typing import Any

import keras
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cells import flops
from benchmarks.cells.sides.keras_fit import LAYERS
from benchmarks.cells.work import Call, Work


def products(outputs: list[Any]) -> int:
    """Operations of all matrix products that `outputs` of a graph depend on."""
    waiting, seen, total = [t.op for t in outputs], set(), 0
    while waiting:
        op = waiting.pop()
        if op.name in seen:
            continue
        seen.add(op.name)
        waiting += [t.op for t in op.inputs]
        if op.type == "MatMul":
            rows, columns = op.inputs[0].shape
            inner = rows if op.get_attr("transpose_a") else columns
            total += 2 * inner * op.outputs[0].shape.num_elements()
    return total


def counted(work: Work, rows: int, steps: int, *, learning: bool) -> int:
    """Operations for `rows` windows of `steps`, of an unrolled layer and a linear map."""
    layers = [
        LAYERS[work.cell](work.units, unroll=True, go_backwards=bool(i))
        for i in range(work.directions)
    ]
    head = keras.layers.Dense(work.outputs)

    def step(inputs: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            outputs = head(tf.concat([layer(inputs) for layer in layers], axis=-1))
            loss = tf.reduce_sum(tf.square(outputs))
        if not learning:
            return [outputs]
        variables = [v for layer in (*layers, head) for v in layer.trainable_variables]
        return list(tape.gradient(loss, [v.value for v in variables]))

    shape = (rows, steps, work.features)
    step(tf.zeros(shape))  # builds the variables outside the graph
    graph = tf.function(step, autograph=False).get_concrete_function(tf.TensorSpec(shape))
    return products(graph.outputs)


@settings(max_examples=12)
@given(
    cell=st.sampled_from(["lstm", "gru", "simple_rnn"]),
    units=st.integers(1, 5),
    features=st.integers(1, 4),
    outputs=st.integers(1, 6),
    rows=st.integers(1, 3),
    steps=st.integers(1, 4),
)
def test_a_training_step_has_the_products_of_the_differentiated_graph(
    cell: Any, units: int, features: int, outputs: int, rows: int, steps: int
) -> None:
    work = Work("w", cell, units, rows, steps, features, outputs)
    assert flops.of_step(work, rows, rows * steps) == counted(work, rows, steps, learning=True)


@pytest.mark.parametrize("lengths", [(1,), (3, 1), (2, 4, 3)])
def test_padding_is_not_counted(lengths: tuple[int, ...]) -> None:
    work = Work("w", "lstm", 3, len(lengths), 4, 2, 5, 1, masked=True)
    alone = sum(counted(work, 1, length, learning=True) for length in lengths)
    assert flops.of_step(work, len(lengths), sum(lengths)) == alone


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize("carried", [False, True])
def test_a_call_has_the_products_of_the_graph(cell: Any, carried: bool) -> None:
    work = Work("w", cell, 3, 8, 4, 2, 6)
    steps = 1 if carried else work.steps
    call = Call("c", work, 5, 1, carried)
    assert flops.of_call(call) == counted(work, 5, steps, learning=False)
