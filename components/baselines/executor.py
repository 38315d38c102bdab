"""TFX executor of the node `baselines`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.baselines.forecast import forecast_baselines
from models.baselines.config import BaselinesConfig
from models.windows.store import SeriesStore


class BaselinesExecutor(BaseExecutor):
    """Reads Windows, writes Baselines."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fits and forecasts; see `forecast_baselines` for what is raised."""
        store = SeriesStore.load(Path(artifact_utils.get_single_uri(input_dict["windows"])))
        folder = Path(artifact_utils.get_single_uri(output_dict["baselines"]))
        forecast_baselines(store, BaselinesConfig.from_json(exec_properties["config"]), folder)
