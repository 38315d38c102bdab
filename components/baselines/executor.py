"""TFX executor of the node `baselines`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.baselines.forecast import forecast_baselines
from components.baselines.settings import BaselinesSettings
from components.tracking.recorder import current
from models.history.recipe import DataDescription
from models.windows.store import SeriesStore


class BaselinesExecutor(BaseExecutor):
    """Reads Windows, writes Baselines."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fits, forecasts and exports; see `forecast_baselines` for what is raised."""
        store = SeriesStore.load(Path(artifact_utils.get_single_uri(input_dict["windows"])))
        folder = Path(artifact_utils.get_single_uri(output_dict["baselines"]))
        settings = BaselinesSettings.from_json(exec_properties["config"])
        metadata: dict[str, Any] = {"source_digest": exec_properties["source_digest"]}
        if settings.data is not None:
            described = DataDescription.of(settings.data, store)
            metadata["data"] = described.model_dump(mode="json")
        recorder = current()
        run_id = getattr(recorder, "parent_run_id", None) or getattr(recorder, "run_id", None)
        if run_id:
            metadata["run_id"] = str(run_id)
        forecast_baselines(store, settings.baselines, folder, metadata)
