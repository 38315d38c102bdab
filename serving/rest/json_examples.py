"""`read_examples`: the examples in the body of a classify or regress request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.rest.json_bytes import is_base64, to_bytes
from serving.rest.json_numbers import DECIMALS, decimal
from serving.rest.json_text import show, type_name
from serving.status import Code, ServingError

CONTEXT = "context"
EXAMPLES = "examples"
_INT64 = range(-(1 << 63), 1 << 63)
_UINT64_END = 1 << 64
_FLOAT = DECIMALS["DT_FLOAT"]


def read_examples(document: Mapping[str, Any]) -> list[bytes]:
    """Every example as a serialized `tf.Example`, the features of `context` first in each.

    Raises:
        ServingError: INVALID_ARGUMENT with the feature and the value that do not fit.
    """
    context = _example(document[CONTEXT]) if CONTEXT in document else b""
    if EXAMPLES not in document:
        raise _invalid(
            f"JSON Value: {show(document)} When method is classify or regress, key "
            f"'{EXAMPLES}' is expected and was not found"
        )
    examples = document[EXAMPLES]
    if not isinstance(examples, list):
        raise _invalid(
            f"JSON Value: {show(document)} Expecting '{EXAMPLES}' value to be an list/array"
        )
    if not examples:
        raise _invalid(f"JSON Value: {show(document)} '{EXAMPLES}' value is an empty array")
    # Two messages one after the other are one message with the fields of both; where both have a
    # feature, the example's holds.
    return [context + _example(example) for example in examples]


def _example(value: Any) -> bytes:
    from tensorflow.core.example import example_pb2

    if not isinstance(value, dict):
        raise _invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    example = example_pb2.Example()
    features = example.features.feature
    for name, content in value.items():
        feature = features[name]
        kind, values = _feature(name, content if isinstance(content, list) else [content])
        if kind:
            getattr(feature, kind).value.extend(values)
    return bytes(example.SerializeToString())


def _feature(name: str, values: list[Any]) -> tuple[str, list[Any]]:
    kind = ""
    found: list[Any] = []
    for value in values:
        its, converted = _value(name, value)
        if kind and its != kind:
            raise _invalid(
                f"Unexpected element type in feature: {name} "
                f"expecting type: {kind.removesuffix('_list')}"
            )
        kind = its
        found.append(converted)
    return kind, found


def _value(name: str, value: Any) -> tuple[str, Any]:
    """The field of `tf.train.Feature` that holds `value`, and how it does."""
    if isinstance(value, str) or is_base64(value):
        return "bytes_list", to_bytes(value)
    if value is None or isinstance(value, (list, dict)):
        raise _invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")
    if isinstance(value, int):
        if value in _INT64:
            return "int64_list", int(value)
        if 0 < value < _UINT64_END:
            raise _invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
    return "float_list", decimal(value, _FLOAT, "DT_FLOAT")


def _invalid(message: str) -> ServingError:
    return ServingError(Code.INVALID_ARGUMENT, message)
