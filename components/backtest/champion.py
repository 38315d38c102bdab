"""The champion: the live model, re-scored on the test windows of the candidate."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.export.metadata import model_digest
from models.windows.store import SeriesStore
from models.windows.view import WindowView


class Forecaster(Protocol):
    """What the backtest needs of `models.export.loaded.LoadedForecaster`."""

    @property
    def carries_state(self) -> bool:
        """Whether the model was trained to read series from their start."""

    def usable(self, view: WindowView) -> npt.NDArray[np.bool_]:
        """Which windows hold enough history."""

    def comparable(self, store: SeriesStore) -> str | None:
        """Why the model cannot be scored on windows of `store`, if so."""

    def predict(self, view: WindowView, batch_size: int = ...) -> npt.NDArray[np.float32]:
        """Forecasts from windows, `[windows, horizon, targets]`."""

    def predict_streaming(self, view: WindowView) -> npt.NDArray[np.float32]:
        """Forecasts with the state carried from the start of each segment."""


def forecasts(model: Forecaster, view: WindowView) -> npt.NDArray[np.float32]:
    """Forecasts for every window of `view`, made the way the model was trained for.

    A model trained with truncated backpropagation through time streams, and knows the series from
    its start; any other model sees its lookback.

    Returns:
        float32 `[windows, horizon, targets]`.
    """
    return model.predict_streaming(view) if model.carries_state else model.predict(view)


@dataclass(frozen=True)
class Champion:
    """The live model: version in the serving directory, folder and digest of the SavedModel."""

    version: str
    path: Path
    digest: str

    @classmethod
    def parse(cls, text: str) -> Champion | None:
        """From the parameter of the node: JSON, or empty when there is none.

        Raises:
            BadInputError: If `text` is neither.
        """
        if not text:
            return None
        try:
            values = json.loads(text)
            return cls(str(values["version"]), Path(values["path"]), str(values["digest"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BadInputError(
                f"champion {text!r}: expected JSON with version, path and digest, or nothing"
            ) from error


@dataclass(frozen=True)
class ChampionEntry:
    """The champion as the evaluation sees it.

    Attributes:
        champion: Which model.
        index: int64 `[n]`: the test windows it was scored on, ascending.
        predictions: float32 `[n, horizon, targets]`, or None when it was not scored.
        reason: Why it was not scored, or on fewer windows than there are; else empty.
        same_model: Whether the candidate is this very model.
        same_as: The baseline that is this very model; empty if none is.
    """

    champion: Champion
    index: npt.NDArray[np.int64]
    predictions: npt.NDArray[np.float32] | None
    reason: str = ""
    same_model: bool = False
    same_as: str = ""

    @property
    def label(self) -> str:
        """For the reader."""
        return f"the champion (version {self.champion.version})"


def enter(
    champion: Champion,
    candidate: Path,
    view: WindowView,
    load: Callable[[Path], Forecaster],
    baselines: Mapping[str, Path] | None = None,
) -> ChampionEntry:
    """Scores the champion where that can be done; what prevents it is told, never raised.

    Args:
        champion: The live model.
        candidate: Folder of the candidate's SavedModel.
        view: Test windows of the candidate.
        load: Opens a SavedModel.
        baselines: Folders of the SavedModels of the baselines that can be served.
    """
    none = np.zeros(0, np.int64)
    if not champion.path.is_dir():
        return ChampionEntry(champion, none, None, f"its folder {champion.path} is gone")
    try:
        digest, exported = model_digest(champion.path), baselines or {}
        same = next((name for name, path in exported.items() if model_digest(path) == digest), "")
        if model_digest(candidate) == digest:
            reason = f"the candidate is the champion already (version {champion.version})"
            return ChampionEntry(champion, none, None, reason, same_model=True)
        forecaster = load(champion.path)
        reason = forecaster.comparable(view.store) or ""
        if reason:
            return ChampionEntry(champion, none, None, reason)
        index = np.flatnonzero(forecaster.usable(view))
        if not len(index):
            reason = "it reads more history than any of these windows has"
            return ChampionEntry(champion, none, None, reason)
        predictions = forecasts(forecaster, view.take(index))
    except Exception as error:
        # A live model that no longer loads or runs must not stand in the way of its successor.
        detail = str(error).strip().splitlines()
        reason = f"it failed: {type(error).__name__}: {detail[0] if detail else ''}".rstrip(": ")
        return ChampionEntry(champion, none, None, reason)
    if len(index) < len(view):
        reason = f"compared on the {len(index)} of {len(view)} windows with enough history for it"
    return ChampionEntry(champion, index, predictions, reason, same_as=same)
