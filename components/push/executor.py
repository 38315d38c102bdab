"""TFX executor of the push."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.push.node import PushSettings, push_node

VERIFICATION = "verification.npz"


class Executor(base_executor.BaseExecutor):
    """Pushes a model that the gate and the serving check have blessed."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes, or says why not.

        Args:
            input_dict: `model`, `model_blessing` and `infra_blessing`, one artifact each.
            output_dict: `pushed_model`, one PushedModel artifact. Gets `push.json` and the custom
                properties of TFX's Pusher: `pushed` (1 if the model is live), and if so
                `pushed_destination` and `pushed_version`.
            exec_properties: `config`, JSON of `PushSettings`; `source_digest`.

        Raises:
            BadInputError: If the serving directory cannot be used.
            FailedRunError: If the push or the registration fails.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(input_dict["model"])
        gate = artifact_utils.get_single_instance(input_dict["model_blessing"])
        infra = artifact_utils.get_single_instance(input_dict["infra_blessing"])
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        report = push_node(
            PushSettings.from_json(exec_properties["config"]),
            Path(path_utils.serving_model_dir(model.uri)),
            Path(pushed.uri),
            blessed=model_utils.is_model_blessed(gate),
            infra_blessed=model_utils.is_infra_validated(infra),
            infra_report=Path(infra.uri) / "check.json",
            example=Path(model.uri) / VERIFICATION,
        )
        pushed.set_int_custom_property("pushed", int(report["version"] is not None))
        pushed.set_string_custom_property("reason", report["reason"])
        if report["version"] is not None:
            destination = str(Path(report["directory"]) / str(report["version"]))
            pushed.set_string_custom_property("pushed_destination", destination)
            pushed.set_string_custom_property("pushed_version", str(report["version"]))
