"""What the methods have in common: calls on examples, and refusals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from tensorflow.core.framework import types_pb2

from serving.engine.call import Call
from serving.engine.failure import presentable
from serving.engine.servable import Array, Servable
from serving.engine.signature import DEFAULT_SIGNATURE, Signature, TensorInfo
from serving.status import Code, ServingError


def batch_rows(
    feeds: Iterable[Array], inputs: Iterable[TensorInfo], outputs: Iterable[TensorInfo]
) -> int | None:
    """The rows of a call; see `Call.rows`."""
    if not all(info.batched for info in (*inputs, *outputs)):
        return None
    sizes = {array.shape[0] if array.ndim else -1 for array in feeds}
    rows = sizes.pop() if len(sizes) == 1 else -1
    return rows if rows > 0 else None


def examples_call(
    inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo], examples: Sequence[bytes]
) -> Call:
    """A run on serialized examples.

    Args:
        inputs: Those they are for: each gets all of them.
        outputs: To fetch.
        examples: Each a serialized tf.Example.

    Raises:
        ServingError: INVALID_ARGUMENT if there are none, or an input takes no strings.
    """
    if not examples:
        raise invalid("Input is empty.")
    for info in inputs:
        if not info.is_string:
            raise invalid(wrong_dtype(info, 0, "string"))
    feed = np.empty(len(examples), dtype=object)
    feed[:] = examples
    rows = batch_rows([feed], inputs, outputs)
    feeds = {info.tensor: feed for info in inputs}
    return Call(feeds, tuple(output.tensor for output in outputs), rows)


def wrong_dtype(info: TensorInfo, place: int, given: str) -> str:
    """Words for an array of another dtype than the input's; the end of it is TensorFlow's."""
    expected = dtype_word(info.enum)
    return f'input "{info.name}": Expects arg[{place}] to be {expected} but {given} is provided'


def dtype_word(enum: int) -> str:
    """A dtype as TensorFlow calls it in messages, such as `float`."""
    return str(types_pb2.DataType.Name(enum)).removeprefix("DT_").lower()


def invalid(message: str) -> ServingError:
    """INVALID_ARGUMENT, however long what the client sent is."""
    return ServingError(Code.INVALID_ARGUMENT, presentable(message))


def named_signature(servable: Servable, name: str) -> Signature:
    """The signature for classify and regress; `serving_default` if `name` is empty.

    Raises:
        ServingError: INVALID_ARGUMENT if there is none.
    """
    signature = servable.signatures.get(name or DEFAULT_SIGNATURE)
    if signature is None:
        raise invalid(f"No signature was found with the name: {name or DEFAULT_SIGNATURE}")
    return signature
