"""`Input` of classify, regress and multi-inference: examples, as the model's parser reads them."""

from __future__ import annotations

from typing import Any

from serving.status import Code, ServingError


def examples_of(proto: Any) -> list[bytes]:
    """The serialized `tf.Example`s of an `Input`.

    A context holds features that all examples share; an example's own feature of the same name
    takes precedence. Serialized messages are merged by writing them one behind the other.

    Raises:
        ServingError: INVALID_ARGUMENT if there is no example.
    """
    kind = proto.WhichOneof("kind")
    if kind == "example_list":
        found = [example.SerializeToString() for example in proto.example_list.examples]
    elif kind == "example_list_with_context":
        listed = proto.example_list_with_context
        context = listed.context.SerializeToString()
        found = [context + example.SerializeToString() for example in listed.examples]
    else:
        found = []
    if not found:
        raise ServingError(
            Code.INVALID_ARGUMENT,
            "Input is empty: send at least one tf.Example in example_list or "
            "example_list_with_context",
        )
    return found
