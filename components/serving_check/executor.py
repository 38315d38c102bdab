"""TFX executor of the serving check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.serving_check.blessing import check_artifact

VERIFICATION = "verification.npz"


class Executor(base_executor.BaseExecutor):
    """Blesses a Model artifact if its SavedModel answers in a fresh CPU process."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the check.

        Args:
            input_dict: `model`, one Model artifact.
            output_dict: `blessing`, one InfraBlessing artifact. Gets `INFRA_BLESSED` or
                `INFRA_NOT_BLESSED`, the integer custom property `blessed`, and `check.json`.
            exec_properties: `source_digest`, for the cache only.

        Raises:
            FailedRunError: If the model could not be judged.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(input_dict["model"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        report = check_artifact(
            Path(path_utils.serving_model_dir(model.uri)),
            Path(model.uri) / VERIFICATION,
            Path(blessing.uri),
        )
        blessing.set_int_custom_property("blessed", int(report.passed))
