"""TFX executor of the node `tune`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.tracking.recorder import current
from components.tune.identity import prune, search_digest, search_folder, space_digest
from components.tune.record import record
from components.tune.remembered import remember, remembered
from components.tune.result import write_result
from components.tune.settings import TuneSettings
from components.tune.tune import tune_forecaster
from components.validation.moments import moments
from models.windows.store import SeriesStore


class TuneExecutor(BaseExecutor):
    """Reads Windows and ExampleStatistics, writes HyperParameters."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches, or uses the values of the last search; see `tune_forecaster` for errors."""
        settings = TuneSettings.from_json(exec_properties["config"])
        base, tune = settings.base, settings.ordered
        windows = Path(artifact_utils.get_single_uri(input_dict["windows"]))
        scaling = moments(Path(artifact_utils.get_single_uri(input_dict["statistics"])))
        out = Path(artifact_utils.get_single_uri(output_dict["hyperparameters"]))
        store, recorder = SeriesStore.load(windows), current()
        key = space_digest(store, base, tune)
        digest = search_digest(store, scaling, base, tune, exec_properties["source_digest"])
        folder = search_folder(out, digest)
        known = remembered(key, folder.parent.parent, now=datetime.now(UTC), days=tune.every_days)
        if known is None:
            result, best = tune_forecaster(windows, scaling, base, tune, folder, recorder=recorder)
            remember(result, best, key, folder.parent.parent)
            prune(folder)
        else:
            result, best = known
        write_result(result, best, out)
        record(recorder, result)
