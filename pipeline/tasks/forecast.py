"""`ForecastTask`: forecasts of series."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from components.ingest.ingest import content_fingerprint
from components.ingest.report import IngestReport
from models.windows.store import SeriesStore
from pipeline.config import Config, LoadedConfig
from pipeline.spans import spans_fingerprint
from pipeline.tasks.task import DataResult, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfx.orchestration.pipeline import Pipeline

    from components.spans.state import Entry


class ForecastTask:
    """See `Task`."""

    unit = "windows"
    higher_is_better = False

    def __init__(self, loaded: LoadedConfig, config: Config) -> None:
        self._loaded = loaded
        self._config = config

    def fingerprint(self) -> str:
        """See `Task.fingerprint`."""
        if self._config.data.spans is not None:
            return spans_fingerprint(self._loaded)
        return content_fingerprint(self._config.data, self._config.roles, self._loaded.folder)

    def graph(self, *, champion: str, force: bool, spans: Sequence[Entry] = ()) -> Pipeline:
        """See `Task.graph`."""
        from pipeline import dag

        return dag.build(self._loaded, champion=champion, force=force, spans=spans)

    def source(self, examples: Path) -> Source:
        """See `Task.source`."""
        report, data = IngestReport.load(examples), self._config.data
        span = {"first": _iso(report.first), "last": _iso(report.last)}
        return Source(
            source=str(self._loaded.resolve(data.path)) if data.path else str(data.url),
            digest=report.digest,
            schema=dict.fromkeys(self._config.roles.dynamic, "float"),
            profile={
                "rows": report.rows_kept,
                "series": report.series,
                **span,
                "frequency": report.frequency,
            },
            tags={f"elman.data.{name}": value for name, value in span.items()},
        )

    def data(self, examples: Path, store: Path) -> DataResult:  # noqa: ARG002
        """See `Task.data`."""
        report = IngestReport.load(examples)
        return DataResult(
            start=_iso(report.first),
            end=_iso(report.last),
            rows=report.rows_kept,
            dropped=report.rows_dropped + report.exact_duplicates,
            series=report.series,
            frequency=report.frequency,
            digest=report.digest,
        )

    def rows(self, examples: Path) -> str:
        """See `Task.rows`."""
        report = IngestReport.load(examples)
        return f"{report.rows_kept:,} rows, {report.series:,} series"

    def counts(self, store: Path) -> dict[str, int]:
        """See `Task.counts`."""
        return {split: len(rows) for split, rows in SeriesStore.load(store).origins.items()}

    def metrics(self) -> tuple[str, ...]:
        """See `Task.metrics`."""
        names = ("mae", "mase", "skill")
        metric = self._config.gate.metric
        return names if metric in names else (metric, *names)


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
