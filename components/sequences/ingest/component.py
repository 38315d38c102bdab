"""The ingest node of a sequence task: a TFX ExampleGen that writes Parquet Examples."""

from __future__ import annotations

from pathlib import Path

from tfx.dsl.components.base import executor_spec

from components.ingest.component import ParquetExampleGen, parquet_example_gen
from components.sequences.config import SequenceDataConfig, SequenceSplitConfig, check_sequences
from components.sequences.ingest.executor import Executor
from components.sequences.ingest.ingest import content_fingerprint
from components.sequences.ingest.settings import SequenceIngestSettings
from components.source_digest import source_digest
from models.sequences.spec import SequenceSpec

SOURCES = (
    "components/ingest",
    "components/sequences/config.py",
    "components/sequences/ingest",
    "models/sequences/spec.py",
)
"""What the Examples depend on."""


class SequenceExampleGen(ParquetExampleGen):
    """`ParquetExampleGen` of whole sequences."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)


def sequence_ingest_settings(
    data: SequenceDataConfig, split: SequenceSplitConfig, spec: SequenceSpec, base: Path
) -> SequenceIngestSettings:
    """The node's parameters for the data as it is now; reads it once, for its fingerprint.

    Raises:
        BadInputError: If the sections do not fit together, or the data cannot be found or read.
    """
    check_sequences(data, split, spec)
    base = base.resolve()
    return SequenceIngestSettings(
        data, split, spec, base, content_fingerprint(data, base), source_digest(*SOURCES)
    )


def sequence_example_gen(
    data: SequenceDataConfig, split: SequenceSplitConfig, spec: SequenceSpec, base: Path
) -> ParquetExampleGen:
    """The node `ingest`; output `examples` with the splits train, validation and test.

    Args:
        data: The source.
        split: Which sequences are train, validation and test.
        spec: The columns to keep.
        base: The folder that relative paths start from.

    Raises:
        BadInputError: If the sections do not fit together, or the data cannot be found or read.
    """
    settings = sequence_ingest_settings(data, split, spec, base)
    return parquet_example_gen(SequenceExampleGen, settings.dumps(), settings.key)
