"""TFX executor of the node `train` of a sequence task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.backtest.champion import Champion
from components.sequence_train.identity import sequence_training_digest
from components.sequence_train.settings import SequenceTrainSettings
from components.sequence_train.train import train_sequence_model
from components.tracking.recorder import current
from components.train.executor import checkpoint_folder
from models.sequences.store import SequenceStore


class SequenceTrainExecutor(BaseExecutor):
    """Reads Windows that hold sequences, writes a Model."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains; see `train_sequence_model` for what is raised."""
        settings = SequenceTrainSettings.from_json(exec_properties["config"])
        code = exec_properties["source_digest"]
        store = SequenceStore.load(Path(artifact_utils.get_single_uri(input_dict["windows"])))
        out = Path(artifact_utils.get_single_uri(output_dict["model"]))
        recorder = current()
        recorder.params(
            {
                **{f"model.{k}": v for k, v in settings.model.model_dump(mode="json").items()},
                **{f"train.{k}": v for k, v in settings.train.model_dump(mode="json").items()},
            }
        )
        metadata: dict[str, Any] = {
            "config_digest": settings.config_digest,
            "source_digest": code,
        }
        if settings.data is not None:
            metadata["data"] = settings.data
        run_id = getattr(recorder, "parent_run_id", None) or getattr(recorder, "run_id", None)
        if run_id:
            metadata["run_id"] = str(run_id)
        train_sequence_model(
            store,
            settings.model,
            settings.train,
            out,
            checkpoints=checkpoint_folder(out, sequence_training_digest(store, settings, code)),
            metadata=metadata,
            recorder=recorder,
            champion=Champion.parse(settings.champion),
        )
