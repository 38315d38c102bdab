"""`prepare_multi`: several classifications and regressions of the same examples in one run.

Checks and texts after tensorflow/serving, servables/tensorflow/multi_inference.cc.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.engine.servable import Array, Servable
from serving.engine.signature import CLASSIFY, DEFAULT_SIGNATURE, REGRESS, TensorInfo
from serving.inference.classify import classify_result, classify_tensors
from serving.inference.prepare import examples_call, invalid
from serving.inference.prepared import Prepared
from serving.inference.regress import regress_result, regress_tensors
from serving.inference.target import Classification, Regression, Target
from serving.status import Code, ServingError

Task = tuple[Target, str]
"""What to run, and the method name of the signature it should have."""


@dataclass(frozen=True)
class _Part:
    signature: str
    method: str
    outputs: list[TensorInfo]


def check_tasks(tasks: Sequence[Task]) -> None:
    """Sees that all tasks ask for the same model.

    Raises:
        ServingError: INVALID_ARGUMENT if they do not, or there are none.
    """
    if not tasks or any(not target.name for target, _ in tasks):
        raise invalid("Found ModelSpec with an empty model name.")
    if len({target.name for target, _ in tasks}) > 1:
        raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")


def prepare_multi(
    servable: Servable, tasks: Sequence[Task], examples: Sequence[bytes]
) -> Prepared[list[Classification | Regression]]:
    """The run for tasks that `check_tasks` has seen; the answers are in their order.

    Args:
        servable: The version that the first task names.
        tasks: At least one.
        examples: Each a serialized tf.Example.

    Raises:
        ServingError: INVALID_ARGUMENT, FAILED_PRECONDITION or UNIMPLEMENTED if the tasks cannot be
            run, or not together.
    """
    parts: list[_Part] = []
    shared: dict[str, TensorInfo] = {}
    for target, method in tasks:
        name = target.signature or DEFAULT_SIGNATURE
        if any(part.signature == name for part in parts):
            raise invalid(f"Duplicate evaluation of signature: {name}")
        if name not in servable.signatures:
            raise invalid(f"Requested signature not found in model graph: {name}")
        taken, outputs = _tensors(servable, name, method)
        # Signatures of TensorFlow 2 have an input each: all of them get the same examples.
        if shared and taken.tensor not in shared and not taken.is_string:
            raise invalid("Input tensor must be the same for all Signatures.")
        shared[taken.tensor] = taken
        parts.append(_Part(name, method, outputs))
    by_tensor = {info.tensor: info for part in parts for info in part.outputs}
    call = examples_call(list(shared.values()), list(by_tensor.values()), examples)

    def finish(values: list[Array]) -> list[Classification | Regression]:
        found = dict(zip(call.fetches, values, strict=True))
        return [_result(servable, part, found, len(examples)) for part in parts]

    return Prepared(call, finish)


def _result(
    servable: Servable, part: _Part, found: Mapping[str, Array], examples: int
) -> Classification | Regression:
    values = [found[info.tensor] for info in part.outputs]
    who = (servable.name, servable.version, part.signature)
    if part.method == CLASSIFY:
        return Classification(classify_result(part.outputs, values, examples), *who)
    return Regression(regress_result(part.outputs[0], values[0], examples), *who)


def _tensors(servable: Servable, name: str, method: str) -> tuple[TensorInfo, list[TensorInfo]]:
    signature = servable.signatures[name]
    if method == CLASSIFY:
        return classify_tensors(signature)
    if method == REGRESS:
        taken, output = regress_tensors(signature)
        return taken, [output]
    raise ServingError(Code.UNIMPLEMENTED, f"Unsupported signature method_name: {method[:200]}")
