"""Artifact types that TFX has no standard for. TFX wiring: import only from component.py files."""

from __future__ import annotations

from tfx.types.artifact import Artifact


class Windows(Artifact):
    """A `models.windows.store.SeriesStore` on disk."""

    TYPE_NAME = "ElmanWindows"


class Baselines(Artifact):
    """Predictions of the baselines on every test window."""

    TYPE_NAME = "ElmanBaselines"


class Monitor(Artifact):
    """What the monitor found (`monitor.json`) and decided; see `components.monitor.report`."""

    TYPE_NAME = "ElmanMonitor"
