"""Where runs are tracked."""

from __future__ import annotations

from pydantic import Field

from models.section import Section


class TrackingConfig(Section):
    """MLflow; `uri: null` is a sqlite store in the workspace, `experiment: null` the run's name."""

    uri: str | None = Field(
        default=None,
        description="`sqlite:///file`, a database or a server's address; null: in the workspace",
    )
    experiment: str | None = Field(default=None, description="null: the configuration's name")
