"""TFX executor of the node `monitor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tfx.types.artifact_utils as artifact_utils  # tfx before TFDV: see validation docs
from tfx.dsl.components.base.base_executor import BaseExecutor

from components.backtest.champion import Champion, Forecaster
from components.monitor.monitor import monitor
from components.monitor.record import record
from components.monitor.report import write
from components.monitor.settings import MonitorSettings
from components.tracking.recorder import current
from models.windows.store import SeriesStore


class MonitorExecutor(BaseExecutor):
    """Reads Examples and Windows, writes a Monitor artifact with the decision."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Checks the champion. Drift is never raised: the decision is acted on by the runner."""
        settings = MonitorSettings.from_json(exec_properties["config"])
        drift = settings.drift.model_dump(mode="json")
        current().params({f"drift.{name}": value for name, value in drift.items()})
        report = monitor(
            Path(artifact_utils.get_single_uri(input_dict["examples"])),
            SeriesStore.load(Path(artifact_utils.get_single_uri(input_dict["windows"]))),
            Champion.parse(exec_properties["champion"]),
            settings,
            load=load_forecaster,
        )
        artifact = artifact_utils.get_single_instance(output_dict["monitor"])
        write(report, Path(artifact.uri))
        artifact.set_string_custom_property("decision", report.decision)
        record(report)


def load_forecaster(folder: Path) -> Forecaster:
    """Opens a SavedModel."""
    from models.export.loaded import LoadedForecaster

    return LoadedForecaster(folder)
