"""`SequencePredictions`: what a model said of each label of some sequences."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import FailedRunError


@dataclass(frozen=True)
class SequencePredictions:
    """One entry per label, in the order of `SequenceView.labels`.

    Accuracy, F1, log loss, perplexity and confusion all follow from these and the labels, without
    the probabilities of every class, of which a language model has thousands at each step.

    Attributes:
        predicted: int32 `[outcomes]`: the class with the highest probability, as an index into
            `SequenceStore.classes`; -1: a class that the store does not know.
        probability: float32 `[outcomes]`: what the model gave to the true class; 0 where the label
            is -1, the class being unknown to the store; nan where the model gave no number.
        confidence: float32 `[outcomes]`: what it gave to the class it predicted; nan as above.
    """

    predicted: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        shapes = {a.shape for a in (self.predicted, self.probability, self.confidence)}
        if len(shapes) > 1 or self.predicted.ndim != 1:
            raise ValueError(
                "predicted, probability and confidence need one entry per label each, got the "
                f"shapes {self.predicted.shape}, {self.probability.shape}, {self.confidence.shape}"
            )

    def __len__(self) -> int:
        return len(self.predicted)

    @classmethod
    def of(
        cls, probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.int32]
    ) -> SequencePredictions:
        """What probabilities of every class come to; of equal ones the first class is predicted.

        Args:
            probabilities: `[outcomes, classes]`, in the order of the store's classes. A row that
                holds a nan predicts no class (-1).
            labels: int32 `[outcomes]`, -1 where unknown.
        """
        bad = np.isnan(probabilities).any(axis=1)
        predicted = np.where(bad, -1, probabilities.argmax(axis=1)).astype(np.int32)
        given = np.take_along_axis(probabilities, np.maximum(labels, 0)[:, None], axis=1)[:, 0]
        probability = np.where(labels < 0, 0.0, np.where(bad, np.nan, given)).astype(np.float32)
        confidence = probabilities.max(axis=1).astype(np.float32)  # nan where one is
        return cls(predicted, probability, confidence)

    def save(self, path: Path) -> None:
        """Writes a NumPy archive (`.npz`), whole or not at all; the folder has to exist."""
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            np.savez(
                file,
                predicted=self.predicted,
                probability=self.probability,
                confidence=self.confidence,
            )
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> SequencePredictions:
        """The predictions in `path`.

        Raises:
            FailedRunError: If there are none, or the file is none of ours.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(
                    np.asarray(arrays["predicted"], np.int32),
                    np.asarray(arrays["probability"], np.float32),
                    np.asarray(arrays["confidence"], np.float32),
                )
        except FileNotFoundError:
            raise FailedRunError(f"{path} does not exist: run the pipeline again") from None
        except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise FailedRunError(
                f"{path} holds no predictions of sequences ({error}): run the pipeline again"
            ) from error
