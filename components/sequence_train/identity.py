"""Which training of a sequence network a checkpoint belongs to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.sequence_train.settings import SequenceTrainSettings
from models.sequences.store import SequenceStore


def sequence_training_digest(
    store: SequenceStore, settings: SequenceTrainSettings, code: str
) -> str:
    """Digest of all that the weights of a training depend on.

    Equal digests mean that a checkpoint may be continued; anything changed, in sequences,
    configuration or code, gives another digest and so another checkpoint folder. The digest of
    the whole configuration is left out: a changed gate or serving section changes no weight.

    Args:
        store: The sequences.
        settings: The network and its training.
        code: Digest of the code, from `components.source_digest`.

    Returns:
        32 hexadecimal digits.
    """
    digest = hashlib.sha256()
    named: tuple[Mapping[str, Sequence[str | int]], ...]
    named = (store.vocabularies, store.symbols, store.splits)
    by_column = [{name: list(values) for name, values in words.items()} for words in named]
    for text in (
        code,
        settings.model.canonical_json(),
        settings.train.canonical_json(),
        store.spec.canonical_json(),
        *([settings.champion] if settings.champion else []),
        json.dumps([list(store.classes), *by_column], sort_keys=True),
    ):
        digest.update(hashlib.sha256(text.encode()).digest())
    arrays: list[npt.NDArray[Any]] = [store.offsets, store.numbers, store.labels]
    arrays += [store.codes[column] for column in store.spec.inputs.tokens]
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(hashlib.sha256(np.ascontiguousarray(array).data).digest())
    return digest.hexdigest()[:32]
