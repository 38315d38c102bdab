"""Where the components of a graph leave their artifacts and what they run on, whatever the task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline

from pipeline.config import LoadedConfig

# What DirectRunner falls back on; before that it would try to download another runner's program.
BEAM = ["--runner=FnApiRunner", "--direct_running_mode=in_memory", "--beam_plugins=tfx"]


def root(loaded: LoadedConfig) -> Path:
    """Where artifacts live."""
    return loaded.workspace / "artifacts"


def database(loaded: LoadedConfig) -> Path:
    """The sqlite file of ML Metadata."""
    return loaded.workspace / "metadata.db"


def assemble(loaded: LoadedConfig, components: Sequence[BaseNode]) -> Pipeline:
    """The pipeline of `components`, in their order, on the workspace of a configuration."""
    return Pipeline(
        pipeline_name=loaded.config.name,
        pipeline_root=str(root(loaded)),
        components=list(components),
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(database(loaded))
        ),
        beam_pipeline_args=BEAM,
    )
