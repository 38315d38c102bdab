"""The nodes statistics, schema and validate: TFX's own, with a schema that people keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from tfx.components.example_validator.component import ExampleValidator
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel, component_spec, standard_artifacts, standard_component_specs
from tfx.utils import json_utils

from components.source_digest import source_digest
from components.validation.executor import SchemaExecutor, ValidatorExecutor
from components.validation.schema_file import schema_digest

STATISTICS_ID, SCHEMA_ID, VALIDATE_ID = "statistics", "schema", "validate"


class SchemaSpec(component_spec.ComponentSpec):
    """Statistics in, a schema out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "schema_file": component_spec.ExecutionParameter(type=str),
        "schema_digest": component_spec.ExecutionParameter(type=str),
        "data_key": component_spec.ExecutionParameter(type=str),
        "free": component_spec.ExecutionParameter(type=str),
        "source_digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema)
    }


class KeptSchemaGen(base_component.BaseComponent):
    """SchemaGen while there is no schema file, ImportSchemaGen from then on."""

    SPEC_CLASS = SchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(SchemaExecutor)


class ValidateSpec(component_spec.ComponentSpec):
    """As TFX's ExampleValidatorSpec, with the file that messages name, and our code's digest."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **standard_component_specs.ExampleValidatorSpec.PARAMETERS,
        "schema_file": component_spec.ExecutionParameter(type=str),
        "source_digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = standard_component_specs.ExampleValidatorSpec.INPUTS
    OUTPUTS: ClassVar[dict[str, Any]] = standard_component_specs.ExampleValidatorSpec.OUTPUTS


class StrictExampleValidator(ExampleValidator):
    """ExampleValidator that stops the run at any anomaly."""

    SPEC_CLASS = ValidateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ValidatorExecutor)

    def __init__(self, statistics: Any, schema: Any, schema_file: Path) -> None:
        spec = ValidateSpec(
            statistics=statistics,
            schema=schema,
            exclude_splits=json_utils.dumps([]),
            schema_file=str(schema_file),
            source_digest=source_digest("components/validation"),
            anomalies=channel.Channel(type=standard_artifacts.ExampleAnomalies),
        )
        base_component.BaseComponent.__init__(self, spec=spec)


def statistics_gen(examples: Any) -> StatisticsGen:
    """The node `statistics`: TFX's StatisticsGen over all splits of the channel `examples`."""
    return StatisticsGen(examples=examples).with_id(STATISTICS_ID)


def schema_gen(statistics: Any, schema_file: Path, *, free: Sequence[str] = ()) -> KeptSchemaGen:
    """The node `schema`: `schema_file` where it exists, else what is inferred.

    Args:
        statistics: Output channel of the node `statistics`.
        schema_file: `<config>.schema.pbtxt`; `publish_schema` writes it after the first run.
        free: Columns whose values may be others each time, such as ids and words.

    Raises:
        BadInputError: If `schema_file` exists and is no schema.
    """
    path = schema_file.resolve()
    ingest = statistics.producer_component.inputs["examples"].producer_component
    spec = SchemaSpec(
        statistics=statistics,
        schema_file=str(path),
        schema_digest=schema_digest(path, ingest.data_key),
        data_key=ingest.data_key,
        free=json.dumps(sorted(free)),
        source_digest=source_digest("components/validation"),
        schema=channel.Channel(type=standard_artifacts.Schema),
    )
    return KeptSchemaGen(spec=spec).with_id(SCHEMA_ID)


def example_validator(statistics: Any, schema: Any) -> StrictExampleValidator:
    """The node `validate`: raises `DataAnomalyError` when data breaks the schema.

    Args:
        statistics: Output channel of the node `statistics`.
        schema: Output channel of the node `schema`, whose file messages name.
    """
    schema_file = Path(schema.producer_component.exec_properties["schema_file"])
    return StrictExampleValidator(statistics, schema, schema_file).with_id(VALIDATE_ID)
