"""What the node `monitor` is told, as one parameter."""

from __future__ import annotations

from components.monitor.config import DriftConfig
from models.roles import Roles
from models.section import Section


class MonitorSettings(Section):
    """The limits, the columns, the gate's metric, where requests are logged, and whether to train
    even if nothing asks for it.
    """

    drift: DriftConfig = DriftConfig()
    roles: Roles
    metric: str = "mae"
    requests: str = ""
    force: bool = False
