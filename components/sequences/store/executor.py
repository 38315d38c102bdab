"""TFX executor of the node `windows` of a sequence task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.sequences.store.build import build_sequence_store
from components.sequences.store.record import record
from models.sequences.spec import SequenceSpec


class Executor(base_executor.BaseExecutor):
    """Builds a Windows artifact, a `SequenceStore`, from Examples."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Builds the store and records its report.

        Args:
            input_dict: `examples`, one Examples artifact of sequences.
            output_dict: `windows`, one Windows artifact. Gets the files of a `SequenceStore` and
                an integer custom property `windows_<split>` for every split: its sequences.
            exec_properties: `spec`, JSON of a SequenceSpec; `source_digest`, for the cache only.

        Raises:
            BadInputError: If there is nothing to learn; see `build_sequence_store`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = Path(artifact_utils.get_single_uri(input_dict["examples"]))
        artifact = artifact_utils.get_single_instance(output_dict["windows"])
        spec = SequenceSpec.from_json(exec_properties["spec"])
        report = build_sequence_store(examples, spec, Path(artifact.uri))
        for split, count in report.sequences.items():
            artifact.set_int_custom_property(f"windows_{split}", count)
        record(report)
