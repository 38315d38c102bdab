"""Executors of the nodes of spans: one span in, Examples out; many Examples in, one out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import tfx.components.example_gen.utils as utils  # tfx before TFDV: see validation docs
from google.protobuf import text_format
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.ingest.executor import finish
from components.ingest.record import record
from components.ingest.write import BATCH
from components.spans.ingest import SPLIT, ingest_span
from components.spans.join import join_spans
from components.spans.relax import for_spans
from components.spans.settings import JoinSettings, SpanSettings
from components.validation.executor import SchemaExecutor
from components.validation.schema_file import FILE, parse
from models.errors import FailedRunError

SETTINGS = "elman_settings"
"""Custom property of a span's Examples: how it was read; see `Terms.settings`."""
CONTENT = "elman_content"
"""Custom property of a span's Examples: what it was read from; see `Span.content`."""


class SpanExecutor(base_executor.BaseExecutor):
    """Writes the Examples of one span; its properties are set last, when all files are there."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],  # noqa: ARG002
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Ingests the span that the settings name."""
        settings = SpanSettings.loads(exec_properties["settings"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        span, folder = settings.span, Path(examples.uri)
        ingest_span(settings.data, settings.roles, span, settings.base, folder)
        finish(examples)
        examples.split_names = artifact_utils.encode_split_names([SPLIT])
        examples.span, examples.version = span.number, span.version
        examples.set_int_custom_property(utils.SPAN_PROPERTY_NAME, span.number)
        examples.set_int_custom_property(utils.VERSION_PROPERTY_NAME, span.version)
        examples.set_string_custom_property(SETTINGS, settings.settings)
        examples.set_string_custom_property(CONTENT, span.content)


class SpanStatisticsExecutor(base_executor.BaseExecutor):
    """What StatisticsGen computes, without Beam, whose start takes longer than a day's rows."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Writes the statistics of the span's one split."""
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])
        statistics.split_names = artifact_utils.encode_split_names([SPLIT])
        statistics.span = examples.span
        files = sorted((Path(examples.uri) / f"Split-{SPLIT}").glob("*.parquet"))
        target = Path(statistics.uri) / f"Split-{SPLIT}" / stats_artifact_utils.BINARY_PB_BASENAME
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_statistics(files).SerializeToString(deterministic=True))


def _statistics(files: list[Path]) -> Any:
    """Statistics of Parquet files, a batch of rows in memory at a time."""
    generators = stats_impl.get_generators(StatsOptions(), in_memory=True)
    found = [generator.create_accumulator() for generator in generators]
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(BATCH):
            found = [g.add_input(a, batch) for g, a in zip(generators, found, strict=True)]
    return stats_impl.extract_statistics_output(found, generators)


class SpanSchemaExecutor(SchemaExecutor):
    """The kept schema as one span is held to it; see `for_spans`."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `schema.pbtxt` into the Schema artifact."""
        super().Do(input_dict, output_dict, exec_properties)
        target = Path(artifact_utils.get_single_uri(output_dict["schema"])) / FILE
        schema = parse(target.read_text(encoding="utf-8"), target)
        for_spans(schema, exec_properties["statics"].split("\n"))
        target.write_text(text_format.MessageToString(schema), encoding="utf-8")


class JoinExecutor(base_executor.BaseExecutor):
    """Joins the resolved spans to the Examples that everything after it works on."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Joins the artifacts; they have to be those that the run planned with.

        Raises:
            FailedRunError: If they are others.
        """
        settings = JoinSettings.loads(exec_properties["settings"])
        given = sorted(
            (a.span, a.version, a.get_string_custom_property(CONTENT)) for a in input_dict["spans"]
        )
        if given != sorted(settings.spans):
            raise FailedRunError(
                f"The metadata store has {len(given)} of the spans to train on, and "
                f"{len(settings.spans)} were planned, or other versions of them. Run again with "
                "--no-cache to ingest all spans anew."
            )
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        report = join_spans(
            settings.data,
            settings.split,
            settings.roles,
            [Path(a.uri) for a in input_dict["spans"]],
            Path(examples.uri),
        )
        record(report, Path(examples.uri))
        finish(examples)
