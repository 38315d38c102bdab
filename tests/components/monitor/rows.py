"""Rows of made-up series, as pieces of Examples, for tests of the monitor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.monitor.distributions import Distributions
from components.monitor.profile import Profile, build_profile
from components.windows.examples import Piece
from models.frequency import Frequency
from models.roles import Covariates, Roles

HOUR = 3600
ROLES = Roles(targets=("y",))


def piece(first: int, values: Any, series: bytes = b"", **static: Any) -> Piece:
    """Hourly rows of one series from hour `first` on; `values` [rows] or [rows, columns]."""
    table = np.asarray(values, np.float32)
    table = table[:, None] if table.ndim == 1 else table
    time = (first + np.arange(len(table), dtype=np.int64)) * HOUR
    return Piece(series, time, table, {name: {value} for name, value in static.items()})


def profile_of(*pieces: Piece, roles: Roles = ROLES) -> Profile:
    """The profile of hourly rows."""
    return build_profile(
        lambda: pieces,
        roles,
        start=int(min(p.time.min() for p in pieces)),
        end=int(max(p.time.max() for p in pieces)),
        frequency=Frequency.parse("h"),
        rows=sum(len(p.time) for p in pieces),
    )


def distributions(profile: Profile) -> Distributions:
    """What new hourly rows are held against; training ends with the profile."""
    return Distributions(profile, int(profile.times[-1]) - HOUR, None, Frequency.parse("h"))


def static_roles(*names: str) -> Roles:
    """One target `y` and some static covariates."""
    return Roles(targets=("y",), covariates=Covariates(static=names))


def shares(counts: Mapping[str, Any], name: str) -> Any:
    """Counts of a column as shares."""
    return counts[name] / counts[name].sum()
