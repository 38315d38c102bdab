"""TFX executor of the window stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.ingest.report import IngestReport
from components.tracking.recorder import current
from components.windows.build import build_store
from models.roles import Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec


class Executor(base_executor.BaseExecutor):
    """Builds a Windows artifact from Examples."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Builds the store and records its report.

        Args:
            input_dict: `examples`, one Examples artifact with `report.json`.
            output_dict: `windows`, one Windows artifact. Gets the files of a `SeriesStore` and
                an integer custom property `windows_<split>` for every split.
            exec_properties: `config`, JSON of spec, roles, gaps and frequency; `source_digest`,
                for the cache only.

        Raises:
            BadInputError: If the data gives no windows; see `build_store`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = Path(artifact_utils.get_single_uri(input_dict["examples"]))
        artifact = artifact_utils.get_single_instance(output_dict["windows"])
        config = json.loads(exec_properties["config"])
        report = build_store(
            examples,
            IngestReport.load(examples).boundaries,
            WindowSpec.model_validate(config["spec"]),
            Roles.model_validate(config["roles"]),
            GapsConfig.model_validate(config["gaps"]),
            config["frequency"],
            Path(artifact.uri),
        )
        for split, count in report.windows.items():
            artifact.set_int_custom_property(f"windows_{split}", count)
        recorder = current()
        recorder.metrics(report.metrics())
        recorder.data(report.model_dump(mode="json"), "windows.json")
        if report.empty_series:
            recorder.warn(
                f"{report.empty_series} of {report.series} series have no step at which every "
                "column is observed; they give no windows"
            )
