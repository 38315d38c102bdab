"""The nodes of spans: span_ingest and span_schema of each span, and ingest, which joins them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel, component_spec, standard_artifacts

from components.ingest.component import NODE_ID
from components.source_digest import source_digest
from components.spans.executor import (
    JoinExecutor,
    SpanExecutor,
    SpanSchemaExecutor,
    SpanStatisticsExecutor,
)
from components.spans.settings import JoinSettings, SpanSettings
from components.validation.component import SchemaSpec
from components.validation.schema_file import schema_digest

INGEST_ID, STATISTICS_ID = "span_ingest", "span_statistics"
SCHEMA_ID, VALIDATE_ID = "span_schema", "span_validate"


class SpanSpec(component_spec.ComponentSpec):
    """Settings in, Examples of one span out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"settings": component_spec.ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)
    }


class SpanGen(base_component.BaseComponent):
    """Ingests one span."""

    SPEC_CLASS = SpanSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(SpanExecutor)
    data_key = ""
    """Names the data: `SpanSettings.key`."""


class SpanStatisticsSpec(component_spec.ComponentSpec):
    """Examples of one span in, their statistics out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "source_digest": component_spec.ExecutionParameter(type=str)
    }
    INPUTS: ClassVar[dict[str, Any]] = SpanSpec.OUTPUTS
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }


class SpanStatisticsGen(base_component.BaseComponent):
    """TFDV's statistics of one span."""

    SPEC_CLASS = SpanStatisticsSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(SpanStatisticsExecutor)


class SpanSchemaSpec(SchemaSpec):
    """As the schema node's, with the columns that a span's Examples do not have."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **SchemaSpec.PARAMETERS,
        "statics": component_spec.ExecutionParameter(type=str),
    }


class SpanSchemaGen(base_component.BaseComponent):
    """The kept schema as one span is held to it; inferred from the span while there is none."""

    SPEC_CLASS = SpanSchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(SpanSchemaExecutor)


class JoinSpec(component_spec.ComponentSpec):
    """Examples of many spans in, Examples with train, validation and test out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"settings": component_spec.ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {
        "spans": component_spec.ChannelParameter(type=standard_artifacts.Examples)
    }
    OUTPUTS: ClassVar[dict[str, Any]] = SpanSpec.OUTPUTS


class SpanJoin(base_component.BaseComponent):
    """Joins spans."""

    SPEC_CLASS = JoinSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(JoinExecutor)
    data_key = ""
    """Names the data and the way it is read: `JoinSettings.key`."""


def span_gen(settings: SpanSettings) -> SpanGen:
    """The node `span_ingest` of one span; output `examples` with the split `span`."""
    spec = SpanSpec(
        settings=settings.dumps(), examples=channel.Channel(type=standard_artifacts.Examples)
    )
    node = SpanGen(spec=spec)
    node.data_key = settings.key
    return node.with_id(INGEST_ID)


def span_statistics_gen(examples: Any) -> SpanStatisticsGen:
    """The node `span_statistics` over the channel `examples`."""
    spec = SpanStatisticsSpec(
        examples=examples,
        source_digest=source_digest("components/spans"),
        statistics=channel.Channel(type=standard_artifacts.ExampleStatistics),
    )
    return SpanStatisticsGen(spec=spec).with_id(STATISTICS_ID)


def span_schema_gen(
    statistics: Any, schema_file: Path, data_key: str, statics: tuple[str, ...]
) -> SpanSchemaGen:
    """The node `span_schema`.

    Args:
        statistics: Output channel of the span's statistics.
        schema_file: The schema that people keep; may be missing.
        data_key: Names the span.
        statics: Static covariates.
    """
    path = schema_file.resolve()
    spec = SpanSchemaSpec(
        statistics=statistics,
        schema_file=str(path),
        schema_digest=schema_digest(path, data_key),
        data_key=data_key,
        free=json.dumps([]),
        statics="\n".join(statics),
        source_digest=source_digest("components/validation", "components/spans"),
        schema=channel.Channel(type=standard_artifacts.Schema),
    )
    return SpanSchemaGen(spec=spec).with_id(SCHEMA_ID)


def span_join(spans: Any, settings: JoinSettings) -> SpanJoin:
    """The node `ingest` over spans; output `examples` with the splits train, validation, test.

    Args:
        spans: Channel of the Examples of all spans to train on.
        settings: How to join them.
    """
    spec = JoinSpec(
        spans=spans,
        settings=settings.dumps(),
        examples=channel.Channel(type=standard_artifacts.Examples),
    )
    node = SpanJoin(spec=spec)
    node.data_key = settings.key
    return node.with_id(NODE_ID)
