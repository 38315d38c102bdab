"""The ingest node: a TFX ExampleGen that writes Parquet Examples."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import any_pb2, wrappers_pb2
from tfx.components.example_gen.component import QueryBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2

from components.ingest.config import DataConfig, SplitConfig
from components.ingest.executor import Executor
from components.ingest.ingest import content_fingerprint
from components.ingest.settings import IngestSettings
from components.source_digest import source_digest
from models.roles import Roles
from models.windows.store import SPLITS

NODE_ID = "ingest"


class ParquetExampleGen(QueryBasedExampleGen):
    """TFX's query-based ExampleGen with an executor of ours.

    Query-based, not file-based: TFX's file driver goes by modification times and knows files only,
    while the fingerprint among our settings is of the content, be it files or a database.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    data_key = ""
    """Names the data and the way it is read: `IngestSettings.key`."""


def ingest_settings(
    data: DataConfig, split: SplitConfig, roles: Roles, base: Path
) -> IngestSettings:
    """The node's parameters for the data as it is now; reads it once, for its fingerprint.

    Raises:
        BadInputError: If the data cannot be found or read.
    """
    return IngestSettings(
        data,
        split,
        roles,
        base.resolve(),
        content_fingerprint(data, roles, base.resolve()),
        source_digest("components/ingest", "models/frequency.py", "models/roles.py"),
    )


def example_gen(
    data: DataConfig, split: SplitConfig, roles: Roles, base: Path
) -> ParquetExampleGen:
    """The node `ingest`; output `examples` with the splits train, validation and test.

    Args:
        data: The source.
        split: The shares of the splits.
        roles: The columns to keep.
        base: The folder that relative paths start from.

    Raises:
        BadInputError: If the data cannot be found or read.
    """
    settings = ingest_settings(data, split, roles, base)
    return parquet_example_gen(ParquetExampleGen, settings.dumps(), settings.key)


def parquet_example_gen(
    kind: type[ParquetExampleGen], settings: str, key: str
) -> ParquetExampleGen:
    """The node `ingest` whose executor gets `settings` (see `settings_text`).

    Args:
        kind: The component.
        settings: All parameters as text.
        key: Names the data and the way it is read.
    """
    value = any_pb2.Any()
    value.Pack(wrappers_pb2.StringValue(value=settings))
    named = example_gen_pb2.SplitConfig.Split
    node = kind(
        # The driver replaces date patterns in it, so it cannot hold the settings themselves.
        input_config=example_gen_pb2.Input(
            splits=[example_gen_pb2.Input.Split(name="data", pattern="elman")]
        ),
        output_config=example_gen_pb2.Output(
            split_config=example_gen_pb2.SplitConfig(
                splits=[named(name=name, hash_buckets=1) for name in SPLITS]
            )
        ),
        custom_config=example_gen_pb2.CustomConfig(custom_config=value),
        output_data_format=example_gen_pb2.FORMAT_PARQUET,
        output_file_format=example_gen_pb2.FILE_FORMAT_PARQUET,
    )
    node.data_key = key
    return node.with_id(NODE_ID)
