"""TFX executor of the node `tuned_windows`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils

from components.tracking.recorder import current
from components.tune.candidate import Candidate
from components.tune.config import WINDOW
from components.tune.result import read_best
from models.errors import BadInputError
from models.windows.restated import restated
from models.windows.store import SeriesStore


class TunedWindowsExecutor(BaseExecutor):
    """Reads Windows and HyperParameters, writes Windows."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Finds the windows and writes them with the series.

        Raises:
            BadInputError: If a split gets no window.
        """
        store = SeriesStore.load(Path(artifact_utils.get_single_uri(input_dict["windows"])))
        values = read_best(Path(artifact_utils.get_single_uri(input_dict["hyperparameters"])))
        mine = {key: value for key, value in values.items() if key.startswith(WINDOW)}
        spec = Candidate(window=store.spec).with_values(mine).window
        found = restated(store, spec)
        for split, rows in found.origins.items():
            if not len(rows):
                raise BadInputError(
                    f"the tuned lookback of {spec.lookback} steps leaves the {split} split without "
                    "windows; lower the highest window.lookback in tune.space"
                )
        artifact = artifact_utils.get_single_instance(output_dict["tuned"])
        found.save(Path(artifact.uri))
        counts = {split: len(rows) for split, rows in found.origins.items()}
        for split, count in counts.items():
            artifact.set_int_custom_property(f"windows_{split}", count)
        current().params(mine)
        current().metrics({f"windows_{split}": float(n) for split, n in counts.items()})
