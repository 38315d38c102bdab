"""`prepare_predict`: any signature, on arrays.

Checks and texts after tensorflow/serving, servables/tensorflow/predict_util.cc; that shapes are
checked, and that a message names the input, is ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from serving.engine.call import Call
from serving.engine.servable import Array, Servable
from serving.engine.signature import DEFAULT_SIGNATURE, Signature, TensorInfo
from serving.inference.prepare import batch_rows, dtype_word, invalid, wrong_dtype
from serving.inference.prepared import Prepared
from serving.inference.target import Prediction
from serving.status import Code, ServingError


def prepare_predict(
    servable: Servable, name: str, inputs: Mapping[str, Array], outputs: Collection[str] = ()
) -> Prepared[Prediction]:
    """A run of a signature, of whatever method.

    Args:
        servable: The version.
        name: Of the signature; empty for `serving_default`.
        inputs: One array for each of its inputs, of its dtype and shape; nothing is converted.
        outputs: Names of those wanted; empty: all.

    Raises:
        ServingError: FAILED_PRECONDITION if there is no such signature; INVALID_ARGUMENT for
            inputs that are missing, not known, or of another dtype or shape, and for outputs that
            are not known.
    """
    name = name or DEFAULT_SIGNATURE
    signature = servable.signatures.get(name)
    if signature is None:
        raise ServingError(
            Code.FAILED_PRECONDITION, f'Serving signature key "{name[:200]}" not found.'
        )
    _check_names(signature, inputs)
    wanted = _wanted(signature, outputs)
    feeds = {}
    for place, (key, info) in enumerate(signature.inputs.items()):
        feeds[info.tensor] = _fitting(info, place, np.asarray(inputs[key]))
    infos = [signature.outputs[key] for key in wanted]
    rows = batch_rows(feeds.values(), signature.inputs.values(), infos)

    def finish(values: list[Array]) -> Prediction:
        result = dict(zip(wanted, values, strict=True))
        return Prediction(result, servable.name, servable.version, name)

    return Prepared(Call(feeds, tuple(info.tensor for info in infos), rows), finish)


def _check_names(signature: Signature, inputs: Mapping[str, Any]) -> None:
    sent, expected = set(inputs), set(signature.inputs)
    if len(sent) != len(expected):
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({_set(sent)}) != len({_set(expected)}). Sent extra: {_set(sent - expected)}. "
            f"Missing but required: {_set(expected - sent)}."
        )
    for name in sorted(sent - expected):
        raise invalid(
            f"input tensor alias not found in signature: {name[:200]}. Inputs expected to be in "
            f"the set {_set(expected)}."
        )


def _wanted(signature: Signature, outputs: Collection[str]) -> tuple[str, ...]:
    seen: set[str] = set()
    for name in outputs:
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name[:200]} Outputs expected to be "
                f"in the set {_set(signature.outputs)}."
            )
        if name in seen:
            raise invalid(f"duplicate output tensor alias: {name}")
        seen.add(name)
    return tuple(sorted(seen or signature.outputs))


def _fitting(info: TensorInfo, place: int, array: Array) -> Array:
    if info.is_string and array.dtype.kind in "SU":
        array = _bytes(array)
    if array.dtype != info.dtype:
        raise invalid(wrong_dtype(info, place, _dtype_name(array.dtype)))
    if not info.fits(array.shape):
        raise invalid(
            f'input "{info.name}": expected shape {_shape(info.shape or ())}, got '
            f"{_shape(array.shape)}"
        )
    return array


def _bytes(array: Array) -> Array:
    encoded = array if array.dtype.kind == "S" else np.char.encode(array, "utf-8")
    return np.asarray(encoded, dtype=object)


def _dtype_name(dtype: npt.DTypeLike) -> str:
    try:
        enum = tf.as_dtype(dtype).as_datatype_enum
    except TypeError:
        return str(dtype)
    return dtype_word(enum)


def _set(names: Iterable[str]) -> str:
    shown = [name[:100] for name in sorted(names)]
    return "{" + ",".join(shown[:20] + ["..."] * (len(shown) > 20)) + "}"


def _shape(dims: Sequence[int | None]) -> str:
    return "[" + ", ".join("?" if dim is None else str(dim) for dim in dims) + "]"
