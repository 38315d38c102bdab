"""Settings that suit a table: lookback, horizon, gaps and calendar from its step and length."""

from __future__ import annotations

from dataclasses import dataclass

from components.ingest.boundaries import split_steps
from components.ingest.config import SplitConfig
from components.ingest.infer import Guess
from models.errors import BadInputError
from models.frequency import DAY, WEEK, Frequency

LONGEST_LOOKBACK = 336
LONGEST_HORIZON = 48
FEWEST_STEPS = 30
SPLIT = SplitConfig()


@dataclass(frozen=True)
class Suggestion:
    """Window, gaps and calendar for a first configuration."""

    season: int
    lookback: int
    horizon: int
    gaps: int
    calendar: tuple[str, ...]


def suggest(guess: Guess) -> Suggestion:
    """Settings with which every split has windows, if the holes of the data allow it.

    The lookback is two seasons and the horizon one (a part of long ones), within what the
    validation and test splits hold.

    Raises:
        BadInputError: If there are fewer than 30 time steps.
    """
    if guess.steps < FEWEST_STEPS:
        raise BadInputError(
            f"the data has only {guess.steps} time steps of {guess.frequency.alias!r}; expected at "
            f"least {FEWEST_STEPS}, to train, validate and test on"
        )
    season = guess.frequency.season
    train, validation, test = split_steps(SPLIT, guess.steps)
    horizon = next(
        (season // part for part in (1, 2, 4, 8, 16, 30) if season // part <= LONGEST_HORIZON), 1
    )
    if season < 4:
        horizon = 6
    horizon = max(1, min(horizon, min(validation, test) // 3))
    lookback = 2 * season
    if lookback > LONGEST_LOOKBACK:
        lookback = season if season <= LONGEST_LOOKBACK else LONGEST_LOOKBACK
    room = max(1, train // 2 - horizon)
    lookback = max(lookback, 2 * horizon, 8)
    if lookback > room:
        lookback = room - room % season if room >= season else room
    gaps = min(guess.longest_hole, max(1, season // 6)) if guess.holes else 0
    return Suggestion(season, lookback, horizon, gaps, calendar(guess.frequency, guess.steps))


def calendar(frequency: Frequency, steps: int) -> tuple[str, ...]:
    """Calendar features that vary at this step and come round at least twice in the data."""
    length = steps * frequency.mean_step
    wanted: tuple[tuple[str, int], ...] = ()
    if frequency.step is None:
        month = frequency.alias.startswith(("MS", "ME", "BMS", "BME"))
        if month:
            wanted = (("month_of_year", 365 * DAY),)
        elif frequency.alias == "B":
            wanted = (("day_of_week", WEEK),)
    elif frequency.step % WEEK == 0:
        wanted = (("week_of_year", 365 * DAY),)
    elif frequency.step % DAY == 0:
        wanted = (("day_of_week", WEEK), ("day_of_year", 365 * DAY))
    else:
        wanted = (("hour_of_day", DAY), ("day_of_week", WEEK))
    return tuple(name for name, period in wanted if length >= 2 * period)
