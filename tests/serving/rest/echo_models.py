"""Models for the JSON of tensors: `echo` gives its inputs back, `emit` always the same outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from tests.serving.rest.json_tensor_cases import READ, REFUSED, UNWRITABLE, WRITTEN

MIXED = {"count": "int64", "level": "float", "tag": "string", "on": "bool"}
"""Inputs of a model for requests that name several."""
Outputs = Mapping[str, tuple[str, Sequence[int], Sequence[Any]]]


def echo_name(inputs: Mapping[str, str]) -> str:
    """The name of the model that gives `inputs` (dtypes by name) back."""
    return "echo-" + "-".join(f"{name}-{dtype}" for name, dtype in sorted(inputs.items()))


def build(folder: Path) -> dict[str, Path]:
    """The models of `json_tensor_cases`: version directories by model name."""
    inputs = {echo_name(case.inputs): case.inputs for case in (*READ, *REFUSED)}
    outputs = {emit_name(case): case.outputs for case in (*WRITTEN, *UNWRITABLE)}
    models = {name: echo(folder / name, dtypes) for name, dtypes in inputs.items()}
    return models | {name: emit(folder / name, tensors) for name, tensors in outputs.items()}


def emit_name(case: Any) -> str:
    """The name of the model that answers with the outputs of `case`."""
    return f"emit-{[*WRITTEN, *UNWRITABLE].index(case)}"


def echo(directory: Path, inputs: Mapping[str, str]) -> Path:
    """A model of two signatures, `serving_default` and `other`, that give any inputs back."""
    specs = {
        name: tf.TensorSpec(None, tf.as_dtype(dtype), name=name) for name, dtype in inputs.items()
    }

    @tf.function
    def same(**tensors: Any) -> Any:
        return {name: tf.identity(tensor) for name, tensor in tensors.items()}

    concrete = same.get_concrete_function(**specs)
    return _save(directory, same, {"serving_default": concrete, "other": concrete})


def emit(directory: Path, outputs: Outputs) -> Path:
    """A model that answers any `x` (float) with `outputs`."""

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def constant(x: Any) -> Any:
        return {
            name: tf.constant(list(values), tf.as_dtype(dtype), shape=list(shape))
            for name, (dtype, shape, values) in outputs.items()
        }

    return _save(directory, constant, {"serving_default": constant.get_concrete_function()})


def _save(directory: Path, function: Any, signatures: Mapping[str, Any]) -> Path:
    module = tf.Module()
    module.function = function
    tf.saved_model.save(module, str(directory), dict(signatures))
    return directory
