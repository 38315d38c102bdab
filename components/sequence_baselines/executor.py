"""TFX executor of the node `baselines` of a sequence task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.sequence_baselines.fit import fit_baselines
from components.sequence_baselines.settings import SequenceBaselinesSettings
from components.tracking.recorder import current
from models.sequences.store import SequenceStore


class SequenceBaselinesExecutor(BaseExecutor):
    """Reads Windows that hold sequences, writes Baselines."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fits, predicts and exports; see `fit_baselines` for what is raised."""
        store = SequenceStore.load(Path(artifact_utils.get_single_uri(input_dict["windows"])))
        folder = Path(artifact_utils.get_single_uri(output_dict["baselines"]))
        settings = SequenceBaselinesSettings.from_json(exec_properties["config"])
        metadata: dict[str, Any] = {"source_digest": exec_properties["source_digest"]}
        if settings.data is not None:
            metadata["data"] = settings.data
        recorder = current()
        run_id = getattr(recorder, "parent_run_id", None) or getattr(recorder, "run_id", None)
        if run_id:
            metadata["run_id"] = str(run_id)
        fit_baselines(store, settings.baselines, folder, metadata)
