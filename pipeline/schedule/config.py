"""When runs start."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from models.section import Section

CatchUp = Literal["none", "last", "all"]


class ScheduleConfig(Section):
    """When `elman schedule` starts runs; options of the command stand above these keys.

    A time is missed when the scheduler was not running, or was busy with an earlier run, for more
    than a minute after it. This section is not part of the configuration's digest: no result
    depends on it.
    """

    cron: str = Field(
        description="five fields as in crontab: minute, hour, day of month, month, day of week"
    )
    timezone: str = Field(default="UTC", description="of the cron expression")
    catch_up: CatchUp = Field(
        default="last",
        description="missed times: none are run, the last one, or all",
    )
    catch_up_limit: int = Field(
        default=7, ge=1, le=500, description="with `catch_up: all`: at most this many, the newest"
    )
    jitter: float = Field(
        default=0.0, ge=0.0, description="seconds; a run starts at random up to this much later"
    )
    grace: float = Field(
        default=60.0,
        ge=0.0,
        description="seconds that a run may go on after the scheduler was asked to stop",
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        from pipeline.config.zone import zone_problem

        if problem := zone_problem(value):
            raise ValueError(problem)
        return value

    @field_validator("cron")
    @classmethod
    def _valid_cron(cls, value: str) -> str:
        from pipeline.schedule.cron import Cron

        Cron.parse(value)
        return value
