"""`scan`: a step repeated along the first axis, for recurrences that ONNX has no operator for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models.export.onnx.graph import Graph, Value


def scan(
    graph: Graph,
    step: Callable[..., Value],
    initial: Value,
    sequences: Sequence[Value],
    *,
    backwards: bool = False,
) -> tuple[Value, Value]:
    """The states of a recurrence.

    Args:
        graph: Where it is written.
        step: The next state, from the state and one element of each sequence.
        initial: The state before the first step.
        sequences: Each [steps, ...].
        backwards: Whether the last element is read first.

    Returns:
        The states [steps, ...], each at the place of the element that was read for it, and the
        one after the element that was read last.
    """
    from onnx import helper

    state = graph.input("scan/state", initial.shape, initial.dtype)
    elements = [
        graph.input(f"scan/element_{index}", sequence.shape[1:], sequence.dtype)
        for index, sequence in enumerate(sequences)
    ]

    def write() -> list[Value]:
        after = step(state, *elements)
        return [after, after.mapped("Identity")]

    nodes, outputs = graph.recorded(write)
    body = helper.make_graph(
        nodes,
        "step",
        [graph.info(value) for value in (state, *elements)],
        [graph.info(value) for value in outputs],
    )
    direction = int(backwards)
    last, every = graph.nodes_outputs(
        "Scan",
        [initial, *sequences],
        [initial.shape, (sequences[0].shape[0], *initial.shape)],
        body=body,
        num_scan_inputs=len(sequences),
        scan_input_directions=[direction] * len(sequences),
        scan_output_directions=[direction],
    )
    return every, last
