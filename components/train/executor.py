"""TFX executor of the node `train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.backtest.champion import Champion
from components.tracking.recorder import current
from components.train.identity import training_digest
from components.train.settings import TrainSettings
from components.train.train import train_forecaster
from components.tune.result import read_best, summary
from components.validation.moments import moments
from models.history.recipe import DataDescription
from models.windows.store import SeriesStore

CHECKPOINTS = "checkpoints"
"""Beside the node's artifacts: a killed execution leaves its checkpoints to the next one."""


class TrainExecutor(BaseExecutor):
    """Reads Windows and ExampleStatistics, writes a Model."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains; see `train_forecaster` for what is raised."""
        settings = TrainSettings.from_json(exec_properties["config"])
        code = exec_properties["source_digest"]
        store = SeriesStore.load(Path(artifact_utils.get_single_uri(input_dict["windows"])))
        scaling = moments(Path(artifact_utils.get_single_uri(input_dict["statistics"])))
        out = Path(artifact_utils.get_single_uri(output_dict["model"]))
        found = input_dict.get("hyperparameters")
        tuning = Path(artifact_utils.get_single_uri(found)) if found else None
        if tuning is not None:
            settings = settings.tuned(store.spec, read_best(tuning))
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
        if tuning is not None:
            metadata["tuning"] = summary(tuning).model_dump(mode="json")
        if settings.data is not None:
            described = DataDescription.of(settings.data, store)
            metadata["data"] = described.model_dump(mode="json")
        run_id = getattr(recorder, "parent_run_id", None) or getattr(recorder, "run_id", None)
        if run_id:
            metadata["run_id"] = str(run_id)
        train_forecaster(
            store,
            scaling,
            settings.model,
            settings.train,
            out,
            checkpoints=checkpoint_folder(out, training_digest(store, scaling, settings, code)),
            metadata=metadata,
            recorder=recorder,
            champion=Champion.parse(settings.champion),
            engine=settings.engine,
        )


def checkpoint_folder(out: Path, digest: str) -> Path:
    """Where the checkpoints of one training are: `<node>/checkpoints/<digest>`.

    Args:
        out: Folder of the Model artifact, `<pipeline root>/<node>/model/<execution id>`. Every
            execution has a new one, so the checkpoints may not be inside.
        digest: From `training_digest`.
    """
    return out.parent.parent / CHECKPOINTS / digest
