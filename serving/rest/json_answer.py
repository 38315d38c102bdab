"""`write_...`: the answers to predict, classify and regress, and errors, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.rest.json_bytes import to_base64
from serving.rest.json_decimal import decimals
from serving.rest.json_predict import Format
from serving.status import Code, ServingError

BYTES_SUFFIX = "_bytes"
"""Outputs with names like this hold binary data, which is written in base64."""


def write_error(message: str) -> bytes:
    """The body that goes with a status other than 200."""
    # Whatever a message repeats of a request, half surrogate pairs and all, becomes ASCII.
    return json.dumps({"error": message}).encode("ascii")


def write_predict(outputs: Mapping[str, Any], layout: Format) -> bytes:
    """The answer to predict, in the format of the request.

    Args:
        outputs: Arrays by output name; of one output the name is left out.
        layout: Row: an element for each example, so every output needs the same first axis.

    Raises:
        ServingError: INVALID_ARGUMENT if an output does not fit the format, or its dtype JSON;
            FAILED_PRECONDITION if it holds bytes that are no text.
    """
    if not outputs:
        raise ServingError(Code.INVALID_ARGUMENT, "Cannot convert empty tensor map to JSON")
    arrays = {name: _array(value) for name, value in outputs.items()}
    if layout is Format.COLUMN:
        texts = {name: _nested(name, array) for name, array in arrays.items()}
        return _document("outputs", texts.popitem()[1] if len(texts) == 1 else _object(texts))
    _check_batch(arrays)
    rows = {name: _elements(name, array) for name, array in arrays.items()}
    if len(rows) == 1:
        return _document("predictions", _list(rows.popitem()[1]))
    names = list(rows)
    items = zip(*rows.values(), strict=True)
    return _document(
        "predictions", _list(_object(dict(zip(names, item, strict=True))) for item in items)
    )


def write_classify(results: Sequence[Sequence[tuple[str, float]]]) -> bytes:
    """The answer to classify: for each example, pairs of label and score.

    Raises:
        ServingError: INVALID_ARGUMENT if there is no example.
    """
    if not results:
        raise ServingError(
            Code.INVALID_ARGUMENT, "Cannot convert empty ClassificationResults to JSON"
        )
    scores = iter(_scores([score for pairs in results for _, score in pairs]))
    return _document(
        "results",
        _list(
            _list(f"[{json.dumps(label, ensure_ascii=False)},{next(scores)}]" for label, _ in pairs)
            for pairs in results
        ),
    )


def write_regress(values: Sequence[float]) -> bytes:
    """The answer to regress: a value for each example.

    Raises:
        ServingError: INVALID_ARGUMENT if there is no example.
    """
    if not values:
        raise ServingError(Code.INVALID_ARGUMENT, "Cannot convert empty RegressionResults to JSON")
    return _document("results", _list(_scores(values)))


def _check_batch(arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    batch = None
    for name, array in arrays.items():
        if not array.ndim:
            raise ServingError(
                Code.INVALID_ARGUMENT, f"Tensor name: {name} has no shape information"
            )
        if batch is not None and len(array) != batch:
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {batch}",
            )
        batch = len(array)


def _array(value: Any) -> npt.NDArray[Any]:
    if isinstance(value, (bytes, str)):
        # numpy would cut zero bytes off its end.
        array = np.empty((), dtype=object)
        array[()] = value
        return array
    return np.asarray(value)


def _elements(name: str, array: npt.NDArray[Any]) -> list[str]:
    """The texts of the elements of `array` along its first axis."""
    return _fold(_tokens(name, array), array.shape, 1)


def _nested(name: str, array: npt.NDArray[Any]) -> str:
    return _fold(_tokens(name, array), array.shape, 0)[0]


def _fold(tokens: list[str], shape: tuple[int, ...], keep: int) -> list[str]:
    """Joins tokens along all axes but the first `keep`."""
    for axis in range(len(shape) - 1, keep - 1, -1):
        size = shape[axis]
        count = prod(shape[:axis])
        tokens = [_list(tokens[i * size : (i + 1) * size]) for i in range(count)]
    return tokens


def _tokens(name: str, array: npt.NDArray[Any]) -> list[str]:
    flat = array.reshape(-1)
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize <= np.dtype(np.float64).itemsize:
        return decimals(flat)
    if kind in "iu":
        return list(map(str, flat.tolist()))
    if kind == "b":
        return ["true" if value else "false" for value in flat.tolist()]
    if kind in "OSU":
        return [_string(name, value) for value in flat.tolist()]
    raise ServingError(
        Code.INVALID_ARGUMENT,
        f"Failed to write JSON value for tensor type: {array.dtype.name} (output {name})",
    )


def _string(name: str, value: Any) -> str:
    data = value if isinstance(value, bytes) else str(value).encode("utf-8")
    if name.endswith(BYTES_SUFFIX):
        return json.dumps(to_base64(data))
    try:
        return json.dumps(data.decode("utf-8"), ensure_ascii=False)
    except UnicodeDecodeError:
        raise ServingError(
            Code.FAILED_PRECONDITION,
            f"Output {name} holds bytes that are not UTF-8, which JSON cannot hold: ask for it "
            f"through gRPC, or export it under a name that ends in {BYTES_SUFFIX}",
        ) from None


def _scores(values: Sequence[float]) -> list[str]:
    return decimals(np.asarray(values, dtype=np.float32))


def _list(items: Iterable[str]) -> str:
    return "[" + ",".join(items) + "]"


def _object(members: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items()) + "}"


def _document(key: str, text: str) -> bytes:
    return f'{{"{key}":{text}}}'.encode()
