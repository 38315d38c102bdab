"""The graphs of spans: the small one of each new span, and the head of the training graph."""

from __future__ import annotations

from collections.abc import Sequence

from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts
from tfx.types.channel import Channel

from components.source_digest import source_digest
from components.spans.component import (
    INGEST_ID,
    VALIDATE_ID,
    span_gen,
    span_join,
    span_schema_gen,
    span_statistics_gen,
)
from components.spans.reading import CODE
from components.spans.settings import JoinSettings, SpanSettings
from components.spans.state import Entry
from components.validation.component import example_validator
from pipeline.config import LoadedConfig
from pipeline.graph import assemble
from pipeline.span_strategy import NewestGoodSpans

RESOLVER_ID = "spans"


def build_span(loaded: LoadedConfig, settings: SpanSettings) -> Pipeline:
    """The pipeline of one span: ingest, statistics, schema, validate.

    It has the name of the training pipeline, whose resolver finds its artifacts by that.

    Args:
        loaded: The configuration.
        settings: The span and how it is read.
    """
    ingest = span_gen(settings)
    statistics = span_statistics_gen(ingest.outputs["examples"])
    schema = span_schema_gen(
        statistics.outputs["statistics"],
        loaded.schema_path,
        settings.key,
        settings.roles.covariates.static,
    )
    validate = example_validator(statistics.outputs["statistics"], schema.outputs["schema"])
    return assemble(loaded, [ingest, statistics, schema, validate.with_id(VALIDATE_ID)])


def joined(loaded: LoadedConfig, entries: Sequence[Entry]) -> tuple[Resolver, BaseNode]:
    """The first nodes of the training graph: `spans`, which resolves them, and `ingest`.

    Args:
        loaded: A configuration with `data.spans`.
        entries: The good spans to train on, in order.
    """
    config = loaded.forecast
    settings = JoinSettings(
        config.data,
        config.split,
        config.roles,
        tuple((e.span.number, e.span.version, e.span.content) for e in entries),
        source_digest(*CODE),
    )
    numbers = [entry.span.number for entry in entries]
    resolver = Resolver(
        strategy_class=NewestGoodSpans,
        config={
            "first": min(numbers),
            "last": max(numbers),
            "settings": entries[0].settings,
        },
        examples=Channel(
            type=standard_artifacts.Examples,
            producer_component_id=INGEST_ID,
            output_key="examples",
        ),
    ).with_id(RESOLVER_ID)
    return resolver, span_join(resolver.outputs["examples"], settings)
