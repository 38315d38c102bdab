"""`Roles`: which column plays which part in a window."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from models.section import Section

CalendarFeature = Literal[
    "minute_of_hour",
    "hour_of_day",
    "day_of_week",
    "day_of_month",
    "day_of_year",
    "week_of_year",
    "month_of_year",
    "quarter_of_year",
]
OBSERVED = "observed"
"""Reserved column: 1 where every target was observed, 0 where a gap was filled."""


class Covariates(Section):
    """Columns beside the targets that a model may use.

    `past` columns are known up to the forecast origin; `future` columns up to the end of the
    horizon (prices, holidays, weather forecasts); `static` columns have one value per series;
    `calendar` features are computed from the time inside the graph.
    """

    past: tuple[str, ...] = Field(
        default=(),
        description="columns known up to the origin; `observed` is the mask of filled steps",
    )
    future: tuple[str, ...] = Field(
        default=(), description="columns known up to the end of the horizon"
    )
    static: tuple[str, ...] = Field(
        default=(), description="columns with one value per series, numbers or text"
    )
    calendar: tuple[CalendarFeature, ...] = Field(
        default=(), description="features computed from the time, in the graph"
    )


class Roles(Section):
    """The columns of a task by role; column order here is the order in every array."""

    targets: tuple[str, ...] = Field(min_length=1)
    covariates: Covariates = Covariates()

    @model_validator(mode="after")
    def _one_role_per_column(self) -> Roles:
        seen: dict[str, str] = {}
        c = self.covariates
        for role, names in (
            ("targets", self.targets),
            ("covariates.past", c.past),
            ("covariates.future", c.future),
            ("covariates.static", c.static),
        ):
            for name in names:
                if name in seen:
                    raise ValueError(
                        f"column {name!r} is listed under {seen[name]} and again under {role}; "
                        "a column has one role: remove it from one of them"
                    )
                seen[name] = role
        if len(set(c.calendar)) != len(c.calendar):
            raise ValueError(f"covariates.calendar lists a feature twice: {list(c.calendar)}")
        for role, names in (("targets", self.targets), ("covariates.future", c.future)):
            if OBSERVED in names:
                raise ValueError(
                    f"{OBSERVED!r} is the mask of filled steps and may only be listed under "
                    f"covariates.past, not under {role}"
                )
        return self

    @property
    def dynamic(self) -> tuple[str, ...]:
        """Columns of the value array, in its order: targets, past, then future covariates.

        The reserved past covariate `observed` is not stored: it is derived from the mask.
        """
        past = tuple(name for name in self.covariates.past if name != OBSERVED)
        return self.targets + past + self.covariates.future
