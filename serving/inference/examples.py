"""`examples_of`: the examples of classify, regress and multi-inference."""

from __future__ import annotations

from typing import Any


def examples_of(proto: Any) -> list[bytes]:
    """The serialized `tf.Example`s of an `Input`; none if it is empty.

    A context holds features that all examples share; an example's own feature of the same name
    holds. Serialized messages are merged by writing them one behind the other.
    """
    kind = proto.WhichOneof("kind")
    if kind == "example_list":
        return [example.SerializeToString() for example in proto.example_list.examples]
    if kind == "example_list_with_context":
        context = proto.example_list_with_context.context.SerializeToString()
        examples = proto.example_list_with_context.examples
        return [context + example.SerializeToString() for example in examples]
    return []
