"""What the metadata of a sequence model says, and how its tensors are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from models.errors import BadInputError
from models.export.metadata import FORMAT
from models.export.names import signature_name, signature_names
from models.sequences.spec import SequenceSpec
from models.sequences.view import LENGTH

if TYPE_CHECKING:
    from models.sequences.core import CoreStepper, SequenceCore

STEPS, TEMPERATURE, SEED = "steps", "temperature", "seed"
"""Inputs of `sample` beside the prefix."""
PROBABILITIES, CLASSES, LABEL = "probabilities", "classes", "label"
NEXT_PROBABILITIES = "next_probabilities"
TIME = -1
"""In shapes: as long as the longest sequence of the batch."""


def input_tensors(spec: SequenceSpec) -> dict[str, tuple[str, tuple[int, ...], str]]:
    """By input column, `length` among them: name of the tensor, shape without batch, dtype.

    Raises:
        BadInputError: If columns collide in their names, or with an input of the export's own.
    """
    inputs = spec.inputs
    names = signature_names(inputs.columns)
    own = [] if inputs.text is not None else [LENGTH]
    if spec.task == "next_step":
        own += [STEPS, TEMPERATURE, SEED]
    for column, name in names.items():
        if name.casefold() in own:
            raise BadInputError(
                f"the column {column!r} would be the tensor {name!r} of the exported model, which "
                "is an input of its own; rename the column"
            )
    if inputs.text is not None:
        return {inputs.text: (names[inputs.text], (), "string")}
    return {
        **{column: (names[column], (TIME,), "float32") for column in inputs.numbers},
        **{column: (names[column], (TIME,), "string") for column in inputs.symbols},
        LENGTH: (LENGTH, (), "int32"),
    }


def describe_sequences(
    spec: SequenceSpec,
    classes: Sequence[str],
    extra: Mapping[str, Any],
    *,
    stepper: CoreStepper | None,
    refusal: str | None,
) -> dict[str, Any]:
    """The metadata of a sequence model: the keys that loading needs, then those of `extra`.

    Keys of every model: `format`, `task`, `spec` (`SequenceSpec`), `classes`, `inputs` ({column:
    tensor}, `length` among the columns unless the input is a text), `outputs` ({output: tensor}),
    `input_shapes` ({column: shape without batch}; -1 is the time), `input_types` ({column: dtype}),
    `streaming` ({"inputs": {column: shape without batch}, "state": {tensor: shape without batch}},
    or null) and `streaming_refusal` (why it is null).

    Raises:
        BadInputError: If `extra` holds one of these keys, or columns collide in their names.
    """
    tensors = input_tensors(spec)
    outputs = [PROBABILITIES, CLASSES, LABEL]
    if spec.task == "next_step":
        outputs.append(NEXT_PROBABILITIES)
    streaming = None
    if stepper is not None:
        streaming = {
            "inputs": {column: [] for column in spec.inputs.columns},
            "state": {name: list(shape) for name, shape in stepper.state.items()},
        }
    own = {
        "format": FORMAT,
        "task": spec.task,
        "spec": spec.model_dump(mode="json"),
        "classes": list(classes),
        "inputs": {column: name for column, (name, _, _) in tensors.items()},
        "outputs": {name: name for name in outputs},
        "input_shapes": {column: list(shape) for column, (_, shape, _) in tensors.items()},
        "input_types": {column: dtype for column, (_, _, dtype) in tensors.items()},
        "streaming": streaming,
        "streaming_refusal": refusal,
    }
    clash = sorted(set(own) & set(extra))
    if clash:
        raise BadInputError(f"metadata may not hold {clash}: the export writes these itself")
    return {**own, **extra}


def stepper_of(core: SequenceCore, spec: SequenceSpec) -> tuple[CoreStepper | None, str | None]:
    """The core step by step, or why it cannot be read so."""
    stepper = core.stepper()
    if isinstance(stepper, str):
        return None, stepper
    taken = {signature_name(column).casefold() for column in spec.inputs.columns}
    clash = sorted(taken & set(stepper.state))
    if clash:
        return None, f"a column would be the tensor {clash[0]!r}, which is one of the state"
    return stepper, None
