"""`Reference`: what a model was trained on and how well it did, kept beside it.

Two files in the folder `assets.extra` of its SavedModel, where model servers pass them over and
which no digest of the model covers. They travel with the model to the serving directory, so that
the monitor can judge a champion when the artifacts of its run are long gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.ingest.report import IngestReport
from components.monitor.profile import Profile, build_profile
from components.windows.examples import Piece, read_split
from models.errors import BadInputError
from models.export.metadata import read_metadata
from models.frequency import Frequency
from models.metrics.losses import window_losses
from models.metrics.yardstick import Yardstick
from models.roles import Roles
from models.section import Section
from models.windows.view import WindowView

FORMAT = 1
FACTS = Path("assets.extra") / "elman_reference.json"
PROFILE = Path("assets.extra") / "elman_reference.npz"
ORIGINS = 2048
"""Errors through time that are kept at most."""
UNIT = "standard deviations of each target on the train rows"

Floats = npt.NDArray[np.float64]


class Backtested(Section):
    """The model's errors on the test windows of its own run.

    Attributes:
        metrics: Of the evaluation, natural units; null where not defined.
        scale: What errors are divided by, by target: its standard deviation on the train rows.
        error: Mean absolute error over the test windows, scaled.
        times: Unix seconds of forecast origins; of the first, where several are one group.
        errors: Mean scaled absolute error at each.
        origins: Distinct origins in a group; the last one may have fewer.
    """

    metrics: dict[str, float | None]
    scale: dict[str, float]
    error: float
    times: tuple[int, ...]
    errors: tuple[float, ...]
    origins: int


class Facts(Section):
    """Times in Unix seconds UTC, first and last included.

    Attributes:
        format: Version of this layout.
        train: First and last time of the training data.
        data_end: Last time of all data that the run saw.
        backtest: Null where the model was not scored.
    """

    format: int = FORMAT
    train: tuple[int, int]
    data_end: int
    backtest: Backtested | None = None


@dataclass(frozen=True)
class Reference:
    """What is known of a model: facts, and the distribution of its training rows.

    Attributes:
        facts: See `Facts`.
        profile: Of the training rows.
        kept: Whether this was kept beside the model; else it was made again from other rows.
    """

    facts: Facts
    profile: Profile
    kept: bool = True

    def save(self, saved_model: Path) -> None:
        """Writes both files into the folder of a SavedModel, the facts last."""
        (saved_model / FACTS).parent.mkdir(parents=True, exist_ok=True)
        self.profile.save(saved_model / PROFILE)
        part = saved_model / f"{FACTS}.part"
        part.write_text(self.facts.model_dump_json() + "\n")
        part.replace(saved_model / FACTS)

    @classmethod
    def load(cls, saved_model: Path) -> Reference | None:
        """What is kept in the folder of a SavedModel; None if nothing is.

        Raises:
            BadInputError: If it cannot be read.
        """
        if not (saved_model / FACTS).is_file():
            return None
        try:
            facts = Facts.from_json((saved_model / FACTS).read_text())
            profile = Profile.load(saved_model / PROFILE)
        except (OSError, ValueError, KeyError) as error:
            raise BadInputError(
                f"what {saved_model} keeps of its training cannot be read "
                f"({type(error).__name__}: {error}); train and push again"
            ) from error
        return cls(facts, profile)


def make_reference(
    examples: Path, roles: Roles, train: tuple[int, int], backtest: Backtested | None = None
) -> Reference:
    """The reference of a model from the rows of `examples` in `train`.

    Args:
        examples: Folder of Examples.
        roles: Their columns.
        train: First and last time of the training data.
        backtest: Its errors, where they are known.

    Raises:
        BadInputError: If there is no row in that time.
    """
    report = IngestReport.load(examples)

    def pieces() -> Iterator[Piece]:
        yield from rows(examples, roles, train[0], train[1])

    first = next((piece for piece in pieces()), None)
    if first is None:
        raise BadInputError(
            "the data no longer holds the rows that the champion was trained on, and the champion "
            "keeps nothing of them"
        )
    profile = build_profile(
        pieces,
        roles,
        start=max(train[0], report.first),
        end=train[1],
        frequency=Frequency.parse(report.frequency),
        rows=report.rows_kept,
    )
    return Reference(Facts(train=train, data_end=report.last, backtest=backtest), profile)


def keep_reference(
    saved_model: Path,
    examples: Path,
    view: WindowView,
    predictions: npt.NDArray[np.float32],
    scale: Floats,
    metrics: dict[str, float | None],
) -> Reference:
    """Makes the reference of a model that was just scored and keeps it beside the model.

    Args:
        saved_model: Folder of the SavedModel.
        examples: Folder of the Examples that it was trained on.
        view: The test windows.
        predictions: Its forecasts of them, float32 `[windows, horizon, targets]`.
        scale: Standard deviation of each target on the train rows, float64 `[targets]`.
        metrics: Of the evaluation.
    """
    store = view.store
    time = np.asarray(store.time[store.time < store.boundaries[1]])
    made = make_reference(
        examples,
        store.roles,
        (int(time.min()), int(time.max())),
        backtested(view, predictions, scale, metrics),
    )
    made.save(saved_model)
    return made


def again(saved_model: Path, examples: Path, roles: Roles) -> Reference:
    """The reference of a model that keeps none, from the rows of today in its training range.

    What its run saw after the training range is not known, so that rows count as new from there.

    Raises:
        BadInputError: If the model does not say what it was trained on, or those rows are gone.
    """
    span = read_metadata(saved_model).get("train_range")
    if not isinstance(span, list) or len(span) != 2:
        raise BadInputError("the champion does not say which time it was trained on")
    train = (_seconds(span[0]), _seconds(span[1]))
    made = make_reference(examples, roles, train)
    facts = made.facts.model_copy(update={"data_end": train[1]})
    return Reference(facts, made.profile, kept=False)


def rows(
    examples: Path,
    roles: Roles,
    first: int,
    last: int,
    splits: Iterable[str] = ("train", "validation", "test"),
) -> Iterator[Piece]:
    """The rows of all splits from `first` to `last`, both included, in pieces."""
    for split in splits:
        for piece in read_split(examples, split, roles):
            keep = (piece.time >= first) & (piece.time <= last)
            if keep.all():
                yield piece
            elif keep.any():
                yield Piece(piece.series, piece.time[keep], piece.values[keep], piece.static)


def backtested(
    view: WindowView,
    predictions: npt.NDArray[np.float32],
    scale: Floats,
    metrics: dict[str, float | None],
) -> Backtested | None:
    """The errors of a model through time; None if no window has a label.

    Args:
        view: The windows that it was scored on.
        predictions: float32 `[windows, horizon, targets]`, natural units.
        scale: float64 `[targets]`.
        metrics: Of the evaluation.
    """
    times, errors, mean = errors_by_origin(view, predictions, scale)
    if not len(times):
        return None
    group = -(-len(times) // ORIGINS)
    starts = np.arange(0, len(times), group)
    sizes = np.minimum(group, len(times) - starts)
    return Backtested(
        metrics=metrics,
        scale=dict(zip(view.store.roles.targets, scale.tolist(), strict=True)),
        error=mean,
        times=tuple(times[starts].tolist()),
        errors=tuple((np.add.reduceat(errors, starts) / sizes).tolist()),
        origins=group,
    )


def errors_by_origin(
    view: WindowView, predictions: npt.NDArray[np.float32], scale: Floats
) -> tuple[npt.NDArray[np.int64], Floats, float]:
    """Scaled absolute errors: distinct origin times, the mean at each, the mean over windows.

    Returns:
        int64 `[origins]`, ascending; float64 `[origins]`; the mean, nan without any label.
    """
    store = view.store
    none = np.full((len(store.series), len(scale)), np.nan)
    yardstick = Yardstick(np.asarray(scale, np.float64), none, 1)
    losses = window_losses(view, predictions, "mae_scaled", yardstick)
    known = np.isfinite(losses)
    if not known.any():
        return np.zeros(0, np.int64), np.zeros(0), float("nan")
    time = np.asarray(store.time[view.origins[known]])
    times, place = np.unique(time, return_inverse=True)
    errors = np.bincount(place, losses[known]) / np.bincount(place)
    return times, errors, float(losses[known].mean())


def _seconds(text: Any) -> int:
    return int(np.datetime64(str(text).removesuffix("Z"), "s").astype(np.int64))
