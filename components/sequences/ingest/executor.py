"""The executor of the ingest node: plain ingestion, then what StatisticsGen needs to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, standard_component_specs

from components.ingest.executor import finish, settings_text
from components.sequences.ingest.ingest import ingest_sequences
from components.sequences.ingest.record import record
from components.sequences.ingest.settings import SequenceIngestSettings


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the Examples artifact; its properties are set last, when all files are there."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],  # noqa: ARG002
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Ingests what the node's custom configuration says."""
        settings = SequenceIngestSettings.loads(settings_text(exec_properties))
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        folder = Path(examples.uri)
        report = ingest_sequences(
            settings.data, settings.split, settings.spec, settings.base, folder
        )
        record(report, folder)
        finish(examples)
