"""Which training a checkpoint belongs to."""

from __future__ import annotations

import hashlib

import numpy as np

from components.train.settings import TrainSettings
from models.features.scaling import Scaling
from models.windows.store import SeriesStore


def training_digest(
    store: SeriesStore, scaling: Scaling, settings: TrainSettings, code: str
) -> str:
    """Digest of all that the weights of a training depend on.

    Equal digests mean that a checkpoint may be continued; anything changed, in data, windows,
    configuration or code, gives another digest and so another checkpoint folder. The digest of
    the whole configuration is left out: a changed gate or serving section changes no weight.

    Args:
        store: The windows.
        scaling: Train moments.
        settings: The network and its training.
        code: Digest of the code, from `components.source_digest`.

    Returns:
        32 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for text in (
        code,
        settings.model.canonical_json(),
        settings.train.canonical_json(),
        scaling.canonical_json(),
        store.spec.canonical_json(),
        store.roles.canonical_json(),
        store.frequency,
        store.fill,
        *([settings.champion] if settings.champion else []),
        repr(store.series),
        repr(sorted((name, tuple(values)) for name, values in store.static.items())),
    ):
        digest.update(hashlib.sha256(text.encode()).digest())
    arrays = [store.values, store.observed, store.time, store.segments]
    arrays += [store.origins[split] for split in ("train", "validation")]
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(hashlib.sha256(np.ascontiguousarray(array).data).digest())
    return digest.hexdigest()[:32]
