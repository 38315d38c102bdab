"""Baselines by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.baselines.ar import Ar
from models.baselines.config import BaselineName, BaselinesConfig
from models.baselines.ffnn import Ffnn
from models.baselines.lds import Lds
from models.baselines.naive import Naive
from models.baselines.protocol import Baseline
from models.baselines.seasonal_naive import SeasonalNaive
from models.frequency import Frequency
from models.windows.store import SeriesStore

REGISTRY: Mapping[BaselineName, Callable[[BaselinesConfig, int], Baseline]] = {
    "naive": lambda _config, _season: Naive(),
    "seasonal_naive": lambda _config, season: SeasonalNaive(season),
    "ar": lambda config, _season: Ar(config.ar_max_lags),
    "ffnn": lambda config, _season: Ffnn(config.ffnn_units, config.ffnn_epochs, config.ffnn_seed),
    "lds": lambda config, _season: Lds(config.lds_states, config.lds_iterations),
}


def season_of(store: SeriesStore, season: int | None) -> int:
    """Steps in a season: as configured, or the natural one of the frequency of the store."""
    return season if season is not None else Frequency.parse(store.frequency).season


def build(name: BaselineName, config: BaselinesConfig, season: int) -> Baseline:
    """The baseline called `name`, not yet fitted.

    Args:
        name: One of `REGISTRY`.
        config: Settings of all baselines.
        season: Steps in a season, see `season_of`.

    Raises:
        KeyError: If no baseline has that name.
    """
    return REGISTRY[name](config, season)
