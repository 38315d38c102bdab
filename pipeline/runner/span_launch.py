"""The small pipeline of one span, run, and what the metadata store knows of it afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as mlmd_pb2
from tfx.orchestration import metadata

from components.spans.component import INGEST_ID
from components.spans.settings import SpanSettings
from models.errors import FailedRunError
from pipeline import graph
from pipeline.config import LoadedConfig
from pipeline.runner import launch
from pipeline.runner.display import Display
from pipeline.span_dag import build_span
from pipeline.span_strategy import CHECKED


class OneLine:
    """A `Display` that leaves the components of a span unsaid: the span has a line of its own."""

    def __init__(self, display: Display) -> None:
        self._display = display

    def starting(self, node: str, position: int, total: int) -> None:
        """See `Display`."""

    def finished(self, node: str, *, cached: bool, seconds: float, detail: str) -> None:
        """See `Display`."""

    def failed(self, node: str, seconds: float) -> None:
        """See `Display`."""

    def retrying(self, node: str, reason: str, wait: float) -> None:
        """See `Display`."""
        self._display.retrying(node, reason, wait)

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """See `Display`."""

    def say(self, text: str) -> None:
        """See `Display`."""
        self._display.say(text)

    def warn(self, text: str) -> None:
        """See `Display`."""
        self._display.warn(text)

    def close(self) -> None:
        """See `Display`."""


def run_span(
    loaded: LoadedConfig,
    settings: SpanSettings,
    run_id: str,
    display: Display,
    *,
    use_cache: bool,
) -> tuple[Path, int, bool]:
    """Ingests and checks one span.

    Args:
        loaded: The configuration.
        settings: The span and how it is read.
        run_id: Id of the run that it belongs to.
        display: Told of retries.
        use_cache: Whether artifacts of a run that was killed may be re-used.

    Returns:
        Folder and id of its Examples artifact, and whether all of it came from the cache.

    Raises:
        BadInputError: If its rows, or its schema, are bad.
        FailedRunError: If it cannot be ingested for another reason.
    """
    span = settings.span
    outcomes = {
        outcome.node: outcome
        for outcome in launch.launch(
            build_span(loaded, settings),
            run_id=f"{run_id}.span-{span.number}-{span.version}",
            around=lambda _: nullcontext(),
            display=OneLine(display),
            use_cache=use_cache,
        )
    }
    folder = outcomes[INGEST_ID].outputs["examples"]
    store = _store(loaded)
    [artifact] = [
        a for a in store.get_artifacts_by_uri(str(folder)) if a.state == mlmd_pb2.Artifact.LIVE
    ]
    if artifact.custom_properties[CHECKED].int_value != 1:
        artifact.custom_properties[CHECKED].int_value = 1
        store.put_artifacts([artifact])
    return folder, int(artifact.id), all(outcome.cached for outcome in outcomes.values())


def checked_ids(loaded: LoadedConfig, ids: Collection[int]) -> set[int]:
    """Those of `ids` that the metadata store knows as Examples of spans that passed their checks.

    Raises:
        FailedRunError: If the metadata store cannot be read.
    """
    if not graph.database(loaded).exists() or not ids:
        return set()
    try:
        found = _store(loaded).get_artifacts_by_id(sorted(ids))
    except mlmd.errors.StatusError as error:
        raise FailedRunError(
            f"The metadata store {graph.database(loaded)} cannot be read: {error}"
        ) from error
    return {
        int(a.id)
        for a in found
        if a.state == mlmd_pb2.Artifact.LIVE and a.custom_properties[CHECKED].int_value == 1
    }


def _store(loaded: LoadedConfig) -> mlmd.MetadataStore:
    return mlmd.MetadataStore(
        metadata.sqlite_metadata_connection_config(str(graph.database(loaded)))
    )
