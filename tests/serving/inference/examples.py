"""tf.Example and Input."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import input_pb2


def example(**features: float | list[float] | list[bytes]) -> Any:
    """A tf.Example with a list for each feature."""
    made = tf.train.Example()
    for name, value in features.items():
        values = value if isinstance(value, list) else [value]
        feature = made.features.feature[name]
        if isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        else:
            feature.float_list.value.extend(values)
    return made


def serialized(*examples: Any) -> list[bytes]:
    return [each.SerializeToString() for each in examples]


def listed(*examples: Any) -> Any:
    """An Input with an ExampleList."""
    made = input_pb2.Input()
    made.example_list.SetInParent()
    made.example_list.examples.extend(examples)
    return made


def in_context(context: Any, *examples: Any) -> Any:
    """An Input with an ExampleListWithContext."""
    made = input_pb2.Input()
    made.example_list_with_context.context.CopyFrom(context)
    made.example_list_with_context.examples.extend(examples)
    return made
