"""`SequenceTask`: labels of whole sequences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.sequence_backtest.config import HIGHER_IS_BETTER, SequenceMetric
from components.sequences.ingest.ingest import content_fingerprint
from components.sequences.ingest.report import SequenceIngestReport
from models.sequences.store import SequenceStore
from pipeline.config import LoadedConfig, SequenceConfig
from pipeline.tasks.task import SequencesResult, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfx.orchestration.pipeline import Pipeline

    from components.spans.state import Entry


class SequenceTask:
    """See `Task`."""

    unit = "sequences"

    def __init__(self, loaded: LoadedConfig, config: SequenceConfig) -> None:
        self._loaded = loaded
        self._config = config

    @property
    def higher_is_better(self) -> bool:
        """See `Task.higher_is_better`."""
        return HIGHER_IS_BETTER[self._metric]

    def fingerprint(self) -> str:
        """See `Task.fingerprint`."""
        return content_fingerprint(self._config.data, self._loaded.folder)

    def graph(
        self,
        *,
        champion: str,
        force: bool,
        spans: Sequence[Entry] = (),  # noqa: ARG002
    ) -> Pipeline:
        """See `Task.graph`: sequences do not come in spans."""
        from pipeline import sequence_dag

        return sequence_dag.build(self._loaded, self._config, champion=champion, force=force)

    def source(self, examples: Path) -> Source:
        """See `Task.source`."""
        report, config = SequenceIngestReport.load(examples), self._config
        inputs = config.inputs
        types = dict.fromkeys(inputs.numbers, "float") | dict.fromkeys(inputs.tokens, "string")
        if config.target is not None:
            types[config.target] = "string"
        path = config.data.path
        given = (path,) if isinstance(path, str) else (path.train, path.validation, path.test)
        return Source(
            source=", ".join(str(self._loaded.resolve(p)) for p in given if p is not None),
            digest=report.digest,
            schema=types,
            profile={"rows": report.rows_kept, "sequences": report.sequences},
        )

    def data(self, examples: Path, store: Path) -> SequencesResult:
        """See `Task.data`."""
        report = SequenceIngestReport.load(examples)
        return SequencesResult(
            sequences=report.sequences,
            rows=report.rows_kept,
            dropped=report.rows_dropped,
            classes=len(SequenceStore.load(store).classes),
            digest=report.digest,
        )

    def rows(self, examples: Path) -> str:
        """See `Task.rows`."""
        report = SequenceIngestReport.load(examples)
        return f"{report.sequences:,} sequences in {report.rows_kept:,} rows"

    def counts(self, store: Path) -> dict[str, int]:
        """See `Task.counts`."""
        splits = SequenceStore.load(store).splits
        return {split: stop - first for split, (first, stop) in splits.items()}

    def metrics(self) -> tuple[str, ...]:
        """See `Task.metrics`."""
        last = "perplexity" if self._config.task == "next_step" else "macro_f1"
        names = ("accuracy", last, "log_loss")
        return names if self._metric in names else (self._metric, *names)

    @property
    def _metric(self) -> SequenceMetric:
        return self._config.gate.metric_of(self._config.task)
