"""The executor of the ingest node: plain ingestion, then what StatisticsGen needs to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import wrappers_pb2
from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.ingest.ingest import ingest
from components.ingest.record import record
from components.ingest.settings import IngestSettings
from models.windows.store import SPLITS


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the Examples artifact; its properties are set last, when all files are there."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],  # noqa: ARG002
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Ingests what the node's custom configuration says."""
        settings = IngestSettings.loads(settings_text(exec_properties))
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        report = ingest(
            settings.data, settings.split, settings.roles, settings.base, Path(examples.uri)
        )
        record(report, Path(examples.uri))
        finish(examples)


def settings_text(exec_properties: dict[str, Any]) -> str:
    """The settings that an ingest node was made with."""
    custom = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], custom)
    value = wrappers_pb2.StringValue()
    custom.custom_config.Unpack(value)
    return str(value.value)


def finish(examples: Any) -> None:
    """Sets the properties that tell others how to read an Examples artifact of ours."""
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    for name, kind, number in (
        (
            utils.PAYLOAD_FORMAT_PROPERTY_NAME,
            example_gen_pb2.PayloadFormat,
            example_gen_pb2.FORMAT_PARQUET,
        ),
        (
            utils.FILE_FORMAT_PROPERTY_NAME,
            example_gen_pb2.FileFormat,
            example_gen_pb2.FILE_FORMAT_PARQUET,
        ),
    ):
        examples.set_string_custom_property(name, kind.Name(number))
