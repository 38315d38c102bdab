"""`LoadedSequenceModel`: an exported sequence model, called the way a server calls it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.export.metadata import read_metadata
from models.sequences.export.classes import ClassMap
from models.sequences.export.metadata import PROBABILITIES
from models.sequences.spec import SequenceSpec
from models.sequences.view import SequenceView

if TYPE_CHECKING:
    from models.sequences.predictions import SequencePredictions
    from models.sequences.store import SequenceStore

TASKS = ("classify", "tag", "next_step")


class LoadedSequenceModel:
    """A SavedModel behind its `serving_default` signature, for scoring and batch prediction.

    Attributes:
        folder: Where it was loaded from.
        metadata: All of `elman.json`.
        spec: The model's own task and columns.
        classes: The model's own classes, in the order of its probabilities.

    Raises:
        BadInputError: If `folder` holds no sequence model of Elman's, or it does not load.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        self.folder = folder
        self.metadata: dict[str, Any] = read_metadata(folder)
        task = self.metadata.get("task")
        if task not in TASKS:
            raise BadInputError(f"{folder} holds a model of the task {task!r}, not of sequences")
        self.spec = spec_of(self.metadata)
        self.classes: tuple[str, ...] = tuple(self.metadata["classes"])
        try:
            self._loaded = tf.saved_model.load(str(folder))  # Owns what the signature captures.
            self._signature = self._loaded.signatures["serving_default"]
        except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
            raise BadInputError(f"{folder} does not load as a SavedModel: {error}") from error

    def comparable(self, store: SequenceStore) -> str | None:
        """Why this model cannot be scored on sequences of `store`; None if it can."""
        return comparable(self.metadata, store)

    def predict(self, view: SequenceView, batch_size: int = 256) -> SequencePredictions:
        """What the model says of every label of `view`, in terms of the store's classes.

        The view's store may have other vocabularies, other classes and more columns than the
        model: see `ClassMap` for what becomes of its answers.

        Args:
            view: Which sequences.
            batch_size: Most sequences in one call; the result does not depend on it.

        Returns:
            One entry per label, in the order of `view.labels()`.

        Raises:
            BadInputError: If the sequences are not comparable.
        """
        from models.sequences.predict import in_batches

        reason = self.comparable(view.store)
        if reason is not None:
            raise BadInputError(f"{self.folder} cannot judge these sequences: {reason}")
        classes = ClassMap(self.classes, view.store.classes, self.spec.task)

        def score(part: SequenceView) -> SequencePredictions:
            probabilities = self.answers(part.feed())[PROBABILITIES]
            if self.spec.task != "classify":
                # A text of next_step is read to its end, and nothing follows that.
                inside = np.arange(probabilities.shape[1]) < part.steps[:, None]
                probabilities = probabilities[inside]
            return classes.predictions(probabilities, part.labels())

        return in_batches(view, batch_size, score)

    def answers(self, feed: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """The outputs of `serving_default`, by name.

        Args:
            feed: By input column, raw values as `SequenceView.feed` gives them; columns that the
                model does not read are left out.
        """
        import tensorflow as tf

        from models.export.portable import exact_float32

        tensors = {
            name: tf.constant(feed[column], tf.as_dtype(self.metadata["input_types"][column]))
            for column, name in self.metadata["inputs"].items()
        }
        with exact_float32():
            outputs = self._signature(**tensors)
        return {name: outputs[tensor].numpy() for name, tensor in self.metadata["outputs"].items()}


def spec_of(metadata: Mapping[str, Any]) -> SequenceSpec:
    """The task and columns in the metadata of a sequence model."""
    import json

    return SequenceSpec.model_validate_json(json.dumps(metadata["spec"]))


def comparable(metadata: Mapping[str, Any], store: SequenceStore) -> str | None:
    """Why the model of `metadata` cannot be scored on sequences of `store`; None if it can.

    Other vocabularies, other classes and columns that the model does not read do no harm.
    """
    if metadata["task"] != store.spec.task:
        return f"its task is {metadata['task']}, that of these sequences {store.spec.task}"
    spec = spec_of(metadata)
    reads, has = spec.inputs, store.spec.inputs
    if spec.target != store.spec.target:
        return f"it learned {spec.target!r}, these sequences have {store.spec.target!r}"
    for kind in ("numbers", "symbols"):
        missing = sorted(set(getattr(reads, kind)) - set(getattr(has, kind)))
        if missing:
            return f"it reads {missing} as {kind}, which these sequences do not have"
    if reads.text not in (None, has.text):
        return f"it reads the text {reads.text!r}, which these sequences do not have"
    if spec.task == "next_step":
        for name in ("split", "lowercase") if reads.text is not None else ("lowercase",):
            if getattr(reads, name) != getattr(has, name):
                return (
                    f"its symbols are made with {name}: {getattr(reads, name)}, those of these "
                    f"sequences with {getattr(has, name)}"
                )
    elif reads.symbols and has.lowercase and not reads.lowercase:
        return "it tells upper from lower case, and these sequences have only lower case"
    return None
