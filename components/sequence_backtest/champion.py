"""The champion: the live model of sequences, re-scored on the test sequences of the candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from components.backtest.champion import Champion
from components.backtest.evaluation import CANDIDATE
from models.export.metadata import model_digest
from models.sequences.predictions import SequencePredictions
from models.sequences.store import SequenceStore
from models.sequences.view import SequenceView


class SequenceModel(Protocol):
    """What the backtest needs of a loaded SavedModel of sequences."""

    def comparable(self, store: SequenceStore) -> str | None:
        """Why the model cannot be scored on sequences of `store`, if so."""

    def predict(self, view: SequenceView, batch_size: int = ...) -> SequencePredictions:
        """One entry per label of `view`."""


@dataclass(frozen=True)
class SequenceChampionEntry:
    """The champion as the evaluation sees it.

    Attributes:
        champion: Which model.
        predictions: Of every test label; None when it was not scored.
        reason: Why it was not scored; else empty.
        same_as: `candidate` or the baseline that is this very model; empty if none is.
    """

    champion: Champion
    predictions: SequencePredictions | None
    reason: str = ""
    same_as: str = ""

    @property
    def label(self) -> str:
        """For the reader."""
        return f"the champion (version {self.champion.version})"

    @property
    def same_model(self) -> bool:
        """Whether the candidate is this very model."""
        return self.same_as == CANDIDATE


def enter(
    champion: Champion,
    exported: Mapping[str, Path],
    view: SequenceView,
    load: Callable[[Path], SequenceModel],
) -> SequenceChampionEntry:
    """Scores the champion where that can be done; what prevents it is told, never raised.

    Args:
        champion: The live model.
        exported: Folders of the SavedModels of `candidate` and of the baselines.
        view: Test sequences.
        load: Opens a SavedModel.
    """
    if not champion.path.is_dir():
        return SequenceChampionEntry(champion, None, f"its folder {champion.path} is gone")
    try:
        digest = model_digest(champion.path)
        same = next((name for name, p in exported.items() if model_digest(p) == digest), "")
        if same == CANDIDATE:
            reason = f"the candidate is the champion already (version {champion.version})"
            return SequenceChampionEntry(champion, None, reason, same)
        model = load(champion.path)
        reason = model.comparable(view.store) or ""
        predictions = None if reason else model.predict(view)
        if predictions is not None and np.isnan(predictions.confidence).any():
            predictions, reason = None, "it gave no number for some of the labels"
    except Exception as error:
        # A live model that no longer loads or runs must not stand in the way of its successor.
        detail = str(error).strip().splitlines()
        reason = f"it failed: {type(error).__name__}: {detail[0] if detail else ''}".rstrip(": ")
        return SequenceChampionEntry(champion, None, reason)
    return SequenceChampionEntry(champion, predictions, reason, same)
