"""By which windows all trials of a search are judged."""

from __future__ import annotations

from components.tune.config import TuneConfig
from models.errors import BadInputError
from models.windows.restated import restated
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS, SeriesStore


def longest_lookback(base: WindowSpec, tune: TuneConfig) -> int:
    """The longest lookback that a trial may have."""
    parameter = tune.space.get("window.lookback")
    return base.lookback if parameter is None else int(max(parameter.ends))


def require_room(store: SeriesStore, base: WindowSpec, tune: TuneConfig) -> None:
    """Refuses a search whose longest lookback leaves a split without windows.

    Args:
        store: The series.
        base: Windows of the configuration.
        tune: The search.

    Raises:
        BadInputError: If that is so.
    """
    widest = longest_lookback(base, tune)
    judged_by(store, base, base.model_copy(update={"lookback": widest}), widest)


def judged_by(store: SeriesStore, base: WindowSpec, spec: WindowSpec, widest: int) -> SeriesStore:
    """`store` under the windows of a trial, with the validation windows of the search.

    Args:
        store: The series.
        base: Windows of the configuration: its stride is that of the validation windows.
        spec: Windows of the trial.
        widest: Longest lookback of the search.

    Raises:
        BadInputError: If a split gets no window.
    """
    validation = base.model_copy(update={"lookback": max(widest, spec.lookback)})
    found = restated(store, spec, validation=validation)
    for split in SPLITS:
        if not len(found.origins[split]):
            raise BadInputError(
                f"no window of the {split} split has room for a lookback of "
                f"{validation.lookback if split == 'validation' else spec.lookback} steps (and "
                f"{spec.reach} to the end of the horizon); lower the highest window.lookback in "
                "tune.space"
            )
    return found
