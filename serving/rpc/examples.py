"""`Input` of classify, regress and multi-inference, which must hold an example."""

from __future__ import annotations

from typing import Any

from serving.inference import examples
from serving.status import Code, ServingError


def examples_of(proto: Any) -> list[bytes]:
    """The serialized `tf.Example`s of an `Input`; see `serving.inference.examples`.

    Raises:
        ServingError: INVALID_ARGUMENT if there is no example.
    """
    found = examples.examples_of(proto)
    if not found:
        raise ServingError(
            Code.INVALID_ARGUMENT,
            "Input is empty: send at least one tf.Example in example_list or "
            "example_list_with_context",
        )
    return found
