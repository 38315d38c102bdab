"""`ClassMap`: the answers of a model in terms of the classes of a store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.sequences.predictions import SequencePredictions
from models.sequences.spec import Task


class ClassMap:
    """Finds the classes of a store among those of a model, by name.

    For classify and tag a class that the model does not know gets 0, and one that the store does
    not know is predicted as -1. For next_step both have an unknown symbol, whose probability is
    that of all symbols that are not in the vocabulary: symbols that only the store knows share
    the model's one with it in equal parts, and symbols that only the model knows are unknown to
    the store. So a model's probabilities still sum to one.

    Args:
        own: Classes of the model.
        wanted: Classes of the store.
        task: Of both.
    """

    def __init__(self, own: Sequence[str], wanted: Sequence[str], task: Task) -> None:
        place = {name: i for i, name in enumerate(wanted)}
        known = {name: i for i, name in enumerate(own)}
        self._next = task == "next_step"
        # By class of the model its index in the store; by class of the store that in the model.
        self._there = np.asarray([place.get(name, -1) for name in own], np.int32)
        self._here = np.asarray([known.get(name, -1) for name in wanted], np.int32)
        self._only_own = self._there < 0
        self._share = np.float32(1 / (1 + int((self._here < 0).sum())))

    def predictions(
        self, probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]
    ) -> SequencePredictions:
        """What the model says of `labels`.

        Args:
            probabilities: float32 `[outcomes, classes of the model]`.
            labels: int32 `[outcomes]`, classes of the store, -1 where unknown.
        """
        labels = np.asarray(labels)
        bad = np.isnan(probabilities).any(axis=1)
        predicted = self._there[probabilities.argmax(axis=1)]
        here = self._here[np.maximum(labels, 0)]
        given = np.take_along_axis(probabilities, np.maximum(here, 0)[:, None], axis=1)[:, 0]
        if self._next:
            predicted = np.maximum(predicted, 0)
            given = np.where(here < 0, probabilities[:, 0], given)
            given = np.where((here <= 0), given * self._share, given)
            beyond = probabilities[:, self._only_own].sum(axis=1)
            given = np.where(labels == 0, given + beyond, given)
        else:
            given = np.where(here < 0, np.float32(0), given)
        return SequencePredictions(
            np.where(bad, -1, predicted).astype(np.int32),
            np.where(labels < 0, 0.0, np.where(bad, np.nan, given)).astype(np.float32),
            probabilities.max(axis=1).astype(np.float32),
        )
