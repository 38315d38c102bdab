"""TFX component of the node `monitor`."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Monitor, Windows
from components.monitor.config import DriftConfig
from components.monitor.executor import MonitorExecutor
from components.monitor.request_log import log_fingerprint
from components.monitor.settings import MonitorSettings
from components.source_digest import source_digest
from models.roles import Roles

SOURCES = (
    "components/backtest/champion.py",
    "components/ingest/report.py",
    "components/monitor",
    "components/windows/examples.py",
    "models/errors.py",
    "models/export",
    "models/frequency.py",
    "models/metrics",
    "models/roles.py",
    "models/section.py",
    "models/windows",
)


class MonitorSpec(ComponentSpec):
    """Inputs, outputs and parameters of the node."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "champion": ExecutionParameter(type=str),
        "requests": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "windows": ChannelParameter(type=Windows),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "monitor": ChannelParameter(type=Monitor),
    }


class MonitorComponent(BaseComponent):
    """Checks whether the champion still fits, and decides whether to train."""

    SPEC_CLASS = MonitorSpec
    EXECUTOR_SPEC = ExecutorClassSpec(MonitorExecutor)


def monitor(
    examples: BaseChannel,
    windows: BaseChannel,
    *,
    drift: DriftConfig,
    roles: Roles,
    metric: str,
    champion: str,
    requests: str = "",
    force: bool = False,
) -> MonitorComponent:
    """The node `monitor`.

    Args:
        examples: Channel of Examples.
        windows: Channel of Windows of these.
        drift: What is checked, and what follows.
        roles: The columns.
        metric: The gate's, shown beside the errors.
        champion: JSON with `version`, `path` and `digest` of the live model, or empty.
        requests: Absolute folder, file or glob of logged requests; empty where skew is not checked.
        force: Train even if nothing asks for it.

    Returns:
        A component with the output `monitor`.
    """
    spec = MonitorSpec(
        examples=examples,
        windows=windows,
        monitor=Channel(type=Monitor),
        config=MonitorSettings(
            drift=drift, roles=roles, metric=metric, requests=requests, force=force
        ).canonical_json(),
        champion=champion,
        # New requests are new input, whatever else stayed the same.
        requests=log_fingerprint(requests) if requests else "",
        source_digest=source_digest(*SOURCES),
    )
    return MonitorComponent(spec=spec).with_id("monitor")
