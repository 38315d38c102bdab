"""ML Metadata of a workspace as plain data, and the mark on artifacts that were removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as mlmd_pb2

from components.housekeeping.lineage import Artifact, Execution, Lineage

_MADE = (
    mlmd_pb2.Event.OUTPUT,
    mlmd_pb2.Event.DECLARED_OUTPUT,
    mlmd_pb2.Event.PENDING_OUTPUT,
)
"""Of an output that the execution made. A resolver has outputs, too, which it has only found."""
_PART = 500
"""Ids in one question: sqlite takes only so many."""


class MetadataFile:
    """The sqlite file of ML Metadata; TFX is not imported.

    Args:
        database: An existing file. The workspace is locked.
    """

    def __init__(self, database: Path) -> None:
        connection = mlmd_pb2.ConnectionConfig()
        connection.sqlite.filename_uri = str(database)
        connection.sqlite.connection_mode = mlmd_pb2.SqliteMetadataSourceConfig.READWRITE
        self._store = mlmd.MetadataStore(connection)

    def lineage(self) -> Lineage:
        """All artifacts and executions. Executions without a run are left out: TFX makes none."""
        artifacts = {
            a.id: Artifact(a.id, a.uri, live=a.state == mlmd_pb2.Artifact.LIVE)
            for a in self._store.get_artifacts()
        }
        places: dict[int, tuple[str, str]] = {}
        for run in self._contexts("pipeline_run"):
            parents = self._store.get_parent_contexts_by_context(run.id)
            pipeline = next((p.name for p in parents if p.type == "pipeline"), "")
            for execution in self._store.get_executions_by_context(run.id):
                places[execution.id] = (pipeline, run.name)
        nodes: dict[int, str] = {}
        for node in self._contexts("node"):
            for execution in self._store.get_executions_by_context(node.id):
                nodes[execution.id] = node.name
        inputs: dict[int, set[int]] = defaultdict(set)
        outputs: dict[int, set[int]] = defaultdict(set)
        for event in self._events(sorted(places)):
            side = outputs if event.type in _MADE else inputs
            side[event.execution_id].add(event.artifact_id)
        return Lineage(
            artifacts,
            tuple(
                Execution(
                    id=number,
                    pipeline=pipeline,
                    run=run,
                    node=nodes.get(number, "").removeprefix(f"{pipeline}."),
                    inputs=frozenset(inputs[number]),
                    outputs=frozenset(outputs[number]),
                )
                for number, (pipeline, run) in sorted(places.items())
            ),
        )

    def pushed(self, lineage: Lineage) -> Mapping[int, str]:
        """By version in the model directory, the run that pushed it: the first one to name it."""
        found: dict[int, str] = {}
        named = {
            artifact.id: artifact.custom_properties["pushed_version"].string_value
            for artifact in self._of_type("PushedModel")
        }
        for execution in lineage.executions:
            for artifact in sorted(execution.outputs):
                version = named.get(artifact, "")
                if version.isdigit():
                    found.setdefault(int(version), execution.run)
        return found

    def mark_deleted(self, artifacts: Sequence[int]) -> None:
        """Sets the state of these artifacts to DELETED, all of them or none.

        TFX's cache takes the outputs of an execution only if all of them are LIVE.
        """
        found = [
            artifact
            for ids in _parts(artifacts)
            for artifact in self._store.get_artifacts_by_id(ids)
        ]
        for artifact in found:
            artifact.state = mlmd_pb2.Artifact.DELETED
        self._store.put_artifacts(found)

    def _contexts(self, kind: str) -> list[Any]:
        known = {t.name for t in self._store.get_context_types()}
        return list(self._store.get_contexts_by_type(kind)) if kind in known else []

    def _of_type(self, kind: str) -> list[Any]:
        known = {t.name for t in self._store.get_artifact_types()}
        return list(self._store.get_artifacts_by_type(kind)) if kind in known else []

    def _events(self, executions: Sequence[int]) -> Iterator[Any]:
        for ids in _parts(executions):
            yield from self._store.get_events_by_execution_ids(ids)


def _parts(items: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), _PART):
        yield items[start : start + _PART]
