"""`ModelSpec` as a target, and as the part of an answer that says who gave it."""

from __future__ import annotations

from typing import Any

from tensorflow_serving.apis import model_pb2

from serving.inference.target import Target
from serving.status import Code, ServingError


def target_of(request: Any) -> Target:
    """What `request.model_spec` names.

    Raises:
        ServingError: INVALID_ARGUMENT if it names no model.
    """
    if not request.HasField("model_spec"):
        raise ServingError(Code.INVALID_ARGUMENT, "Missing ModelSpec")
    spec = request.model_spec
    if not spec.name:
        raise ServingError(Code.INVALID_ARGUMENT, "ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return Target(
        name=spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
        signature=spec.signature_name,
    )


def spec_of(name: str, version: int, signature: str = "") -> Any:
    """The `ModelSpec` of an answer; no signature where the answer is about the whole model."""
    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    spec.version.value = version
    return spec
