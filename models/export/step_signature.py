"""`step_signature`: one step of a stream as the function of a signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from models.export.streaming import Stepper

Tensor = Any


def step_signature(
    stepper: Stepper, inputs: Mapping[str, str], outputs: Mapping[str, str]
) -> tuple[Callable[..., dict[str, Tensor]], dict[str, tf.TensorSpec]]:
    """The function of `stream_step`, and what it takes; the number of streams is open.

    Args:
        stepper: The network step by step.
        inputs: By column, the name of its input.
        outputs: By target, the name of its output.

    Returns:
        From tensors by name to forecasts and the new state by name; and by name the specification
        of each input and state tensor.
    """

    def stream_step(**tensors: Tensor) -> dict[str, Tensor]:
        columns = {column: tensors[inputs[column]] for column in stepper.inputs}
        state = {name: tensors[name] for name in stepper.state}
        forecasts, after = stepper.step(columns, state)
        answer = {outputs[target]: forecasts[target] for target in outputs}
        return {name: tf.identity(value) for name, value in (answer | after).items()}

    specs = {
        inputs[column]: tf.TensorSpec((None, *shape), dtype, name=inputs[column])
        for column, (shape, dtype) in stepper.inputs.items()
    }
    specs |= {
        name: tf.TensorSpec((None, *shape), tf.float32, name=name)
        for name, shape in stepper.state.items()
    }
    return stream_step, specs
