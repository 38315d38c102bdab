"""How many floating-point operations a work asks for: those of its matrix products.

A product of [m, k] and [k, n] is 2 m k n operations. Gates, activations, the optimizer and clipping
are left out: beside the products they are few, and they are the same for every side. The backward
pass has two products for each of the forward pass, one for the gradient of either factor; the
gradient with regard to the data is asked for by nobody and left out. Steps that are padding are
not counted, whether a side computes them or not: a share of the peak is of useful work.
"""

from __future__ import annotations

from benchmarks.cells.work import GATES, Call, Work


def forward(work: Work, rows: int, read: float) -> tuple[float, float, float]:
    """Operations of one pass, by product: with the inputs, with the states, of the linear map.

    Args:
        work: The network.
        rows: Windows or sequences.
        read: Time steps of all of them together, padding left out.
    """
    wide = GATES[work.cell] * work.units * work.directions
    inputs = 2 * read * work.features * wide
    # The first state is zero and its product is nothing, but every side computes it.
    states = 2 * read * work.units * wide
    head = 2 * rows * work.directions * work.units * work.outputs
    return inputs, states, head


def of_step(work: Work, rows: int, read: float) -> float:
    """Operations of one training step: see `forward` for the arguments."""
    inputs, states, head = forward(work, rows, read)
    # Nobody learns the first state, so its gradient is not asked for.
    first = 2 * rows * work.units * GATES[work.cell] * work.units * work.directions
    return 2 * inputs + 3 * states - first + 3 * head


def of_call(call: Call) -> float:
    """Operations of one call of an exported model."""
    read = call.batch * (1 if call.carried else call.work.steps)
    return sum(forward(call.work, call.batch, read))
