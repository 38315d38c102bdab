"""`verification.npz` of a sequence model: some raw sequences and what the core says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.errors import FailedRunError
from models.export.names import signature_names
from models.export.portable import exact_float32
from models.export.verification import save_verification
from models.sequences.core import SequenceCore
from models.sequences.view import LENGTH, SequenceView

MOST_VALUES = 1 << 22
"""Most values of one array: where sequences are long and classes many, there are fewer of them."""


def write_sequence_verification(
    core: SequenceCore, view: SequenceView, file: Path, n: int = 32
) -> None:
    """Writes inputs and probabilities of `n` sequences spread evenly over the lengths in `view`.

    The file needs only NumPy to read, and no pickle. Arrays by tensor name: `input.<name>`, raw
    values, `[n, time]` with `length` `[n]`, or texts `[n]`; for a text `stream.<name>`, its symbols
    `[n, time]`; `steps`, int32 `[n]`, how many steps
    each has; `classes`, str `[classes]`; `output.probabilities`, float32 `[n, classes]` or
    `[n, time, classes]`, 0 where padded; and for next_step `output.next_probabilities`, float32
    `[n, classes]`.

    The probabilities are those of `core` itself, in this process, from the ids that the store
    holds: what the check compares with them has cut and looked up raw strings in its graph.

    Args:
        core: Fitted on the store of `view`, with its own kernels (cuDNN on a GPU) if it likes.
        view: Where to take them from.
        file: Where to.
        n: How many, at most.

    Raises:
        FailedRunError: If there is no sequence, or a probability is not finite.
    """
    if len(view) == 0:
        raise FailedRunError("there is no sequence to verify the exported model with")
    chosen = _spread(view, n)
    store = chosen.store
    spec = store.spec
    if spec.task == "next_step":
        # Its last symbol is read too, as by a client; what follows it is `next_probabilities`.
        whole = spec.model_copy(update={"task": "tag"})
        chosen = SequenceView(replace(store, spec=whole), chosen.index)
    batch, feed = chosen.batch(), chosen.feed()
    tokens = tuple(tf.constant(batch.tokens[column]) for column in spec.inputs.tokens)
    with exact_float32():
        logits = core(tf.constant(batch.numbers), tokens, tf.constant(batch.length))
        probabilities = tf.nn.softmax(logits).numpy()
    rows, last = np.arange(len(chosen)), batch.length - 1
    outputs: dict[str, npt.NDArray[np.float32]] = {"probabilities": probabilities}
    if spec.task == "next_step":
        outputs["next_probabilities"] = probabilities[rows, last]
    if spec.task != "classify":
        inside = np.arange(probabilities.shape[1]) < batch.length[:, None]
        outputs["probabilities"] = np.where(inside[..., None], probabilities, np.float32(0))
    if not all(np.isfinite(value).all() for value in outputs.values()):
        raise FailedRunError(
            "the trained model's probabilities are nan or infinite; nothing to export. Lower the "
            "learning rate or clip gradients"
        )
    names = {**signature_names(spec.inputs.columns), LENGTH: LENGTH}
    inputs = {
        f"input.{names[column]}": np.asarray(value, dtype=str) if value.dtype == object else value
        for column, value in feed.items()
    }
    if spec.inputs.text is not None:
        column = spec.inputs.text
        symbols = np.full(batch.tokens[column].shape, "", object)
        for row, i in enumerate(chosen.index):
            codes = store.codes[column][store.offsets[i] : store.offsets[i + 1]]
            symbols[row, : len(codes)] = [store.symbols[column][code] for code in codes]
        inputs[f"stream.{names[column]}"] = np.asarray(symbols, dtype=str)
    save_verification(
        {
            **inputs,
            "steps": batch.length,
            "classes": np.asarray(store.classes, dtype=str),
            **{f"output.{name}": value for name, value in outputs.items()},
        },
        file,
    )


def _spread(view: SequenceView, n: int) -> SequenceView:
    """`n` sequences from the shortest to the longest, fewer where they are long."""
    order = np.argsort(view.steps, kind="stable").astype(np.int64)
    each = int(view.outcomes.max()) * len(view.store.classes) + int(view.steps.max())
    n = max(2, min(n, MOST_VALUES // each))  # two lengths at least
    picked = np.unique(np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(np.int64))
    return view.take(order[picked])
