"""`read_predict`: the tensors in the body of a predict request, in row or column format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy.typing as npt

from serving.rest.json_bytes import is_base64
from serving.rest.json_tensor import Expected, leading_shape, plain_tensor
from serving.rest.json_tensor_checked import Rows, checked_tensor
from serving.rest.json_text import show
from serving.status import Code, ServingError

SIGNATURE_NAME = "signature_name"
INSTANCES = "instances"
INPUTS = "inputs"
Arrays = dict[str, npt.NDArray[Any]]


class Format(Enum):
    """How tensors are laid out: one element per example, or one per tensor."""

    ROW = "row"
    COLUMN = "column"


@dataclass(frozen=True)
class PredictInputs:
    """The arrays of a request by input name, and the format that the answer must have too."""

    arrays: Arrays
    format: Format


def signature_name(document: Mapping[str, Any]) -> str:
    """The signature that a request names; empty if it names none.

    Raises:
        ServingError: INVALID_ARGUMENT if it is not a string.
    """
    name = document.get(SIGNATURE_NAME, "")
    if not isinstance(name, str):
        raise _invalid(
            f"JSON Value: {show(document)} not formatted correctly. "
            f"'{SIGNATURE_NAME}' key must be a string value."
        )
    return name


def read_predict(
    document: Mapping[str, Any], signature: str, expected: Mapping[str, Expected]
) -> PredictInputs:
    """The tensors in a request.

    Args:
        document: The body, parsed.
        signature: The signature's name, for messages.
        expected: The signature's inputs.

    Raises:
        ServingError: INVALID_ARGUMENT with the input and the value that do not fit.
    """
    if not expected:
        raise _invalid(f"Failed to get input map for signature: {signature or 'DEFAULT'}")
    if INSTANCES in document and INPUTS in document:
        raise _invalid(
            f"JSON Value: {show(document)} Not formatted correctly expecting only one of "
            f"'{INPUTS}' or '{INSTANCES}' keys to exist"
        )
    if INSTANCES in document:
        instances = document[INSTANCES]
        if not isinstance(instances, list):
            raise _invalid(
                f"JSON Value: {show(document)} Expecting '{INSTANCES}' to be an list/array"
            )
        if not instances:
            raise _invalid(f"JSON Value: {show(document)} No values in '{INSTANCES}' array")
        return PredictInputs(_rows(instances, expected), Format.ROW)
    if INPUTS in document:
        return PredictInputs(_columns(document[INPUTS], expected), Format.COLUMN)
    raise _invalid(f"Missing '{INPUTS}' or '{INSTANCES}' key")


def _columns(value: Any, expected: Mapping[str, Expected]) -> Arrays:
    if not isinstance(value, dict) or is_base64(value):
        if len(expected) > 1:
            raise _invalid(
                f"{INPUTS} is a plain value/list, but expecting an object as multiple input "
                f"tensors required as per tensorinfo_map: {_names(expected)}"
            )
        ((name, info),) = expected.items()
        return {name: _column(name, value, info)}
    for name in expected:
        if name not in value:
            raise _invalid(f"Missing named input: {name} in '{INPUTS}' object.")
    for name in value:
        if name not in expected:
            raise _invalid(
                f"Unknown named input: {show(name)} in '{INPUTS}' object, "
                f"must only have keys: {_names(expected)}"
            )
    return {name: _column(name, value[name], info) for name, info in expected.items()}


def _column(name: str, value: Any, info: Expected) -> npt.NDArray[Any]:
    try:
        array = plain_tensor(value, info, leading_shape(value))
        return checked_tensor(value, info) if array is None else array
    except ServingError as error:
        raise ServingError(
            error.code, f"Failed to process '{INPUTS}' key: {name}. Error: {error.message}"
        ) from None


def _rows(instances: list[Any], expected: Mapping[str, Expected]) -> Arrays:
    named = _is_object(instances[0])
    if not named and len(expected) > 1:
        raise _invalid(
            f"{INSTANCES} is a plain list, but expecting list of objects as multiple input "
            f"tensors required as per tensorinfo_map: {_names(expected)}"
        )
    plain = _plain_named(instances, expected) if named else _plain_rows(instances, expected)
    if plain is not None:
        return plain
    rows = {name: Rows(info) for name, info in expected.items()}
    for item, instance in enumerate(instances):
        if named != _is_object(instance):
            wanted, got = ("object", "list") if named else ("value/list", "object")
            raise _invalid(f"Expecting {wanted} but got {got} at item {item} of input list")
        members = instance if named else {next(iter(expected)): instance}
        for name, value in members.items():
            place = f"element: {item} key: {name}" if named else f"element: {item}"
            _add(rows, name, value, place)
        if len(members) != len(expected):
            raise _invalid(
                f"Failed to process element: {item} of '{INSTANCES}' list. JSON object: "
                f"{show(instance)} must only have keys: {_names(expected)}"
            )
    return {name: row.array() for name, row in rows.items()}


def _add(rows: Mapping[str, Rows], name: str, value: Any, place: str) -> None:
    try:
        if name not in rows:
            raise _invalid(
                f"JSON object: does not have named input: {name}, "
                f"must only have keys: {_names(rows)}"
            )
        rows[name].add(value)
    except ServingError as error:
        raise ServingError(
            error.code,
            f"Failed to process {place} of '{INSTANCES}' list. "
            f"Error: {error.code.name}: {error.message}",
        ) from None


def _plain_rows(instances: list[Any], expected: Mapping[str, Expected]) -> Arrays | None:
    ((name, info),) = expected.items()
    array = _plain(instances, info)
    return None if array is None else {name: array}


def _plain_named(instances: list[Any], expected: Mapping[str, Expected]) -> Arrays | None:
    arrays = {}
    try:
        if not {len(expected)}.issuperset(map(len, instances)):
            return None
        for name, info in expected.items():
            array = _plain([instance[name] for instance in instances], info)
            if array is None:
                return None
            arrays[name] = array
    except (KeyError, TypeError):
        return None
    return arrays


def _plain(values: list[Any], info: Expected) -> npt.NDArray[Any] | None:
    try:
        return plain_tensor(values, info, leading_shape(values))
    except ServingError:
        return None  # nested too deeply: the slow way says in which element


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


def _names(expected: Mapping[str, Any]) -> str:
    return ",".join(expected)


def _invalid(message: str) -> ServingError:
    return ServingError(Code.INVALID_ARGUMENT, message)
