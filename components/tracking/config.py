"""Where runs are tracked."""

from __future__ import annotations

from models.section import Section


class TrackingConfig(Section):
    """MLflow; `uri: null` is a sqlite store in the workspace, `experiment: null` the run's name."""

    uri: str | None = None
    experiment: str | None = None
