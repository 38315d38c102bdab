"""`monitor`: all checks on the champion, and the decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from components.backtest.champion import Champion
from components.ingest.report import IngestReport
from components.monitor.concept import Load, check_concept
from components.monitor.decide import NOT_YET, decide
from components.monitor.distributions import Distributions
from components.monitor.findings import iso
from components.monitor.profile import count_rows
from components.monitor.reference import Reference, again, rows
from components.monitor.report import Check, MonitorReport, WatchedChampion
from components.monitor.settings import MonitorSettings
from components.windows.examples import Piece
from models.errors import BadInputError
from models.export.metadata import read_metadata, require_forecaster
from models.frequency import DAY, Frequency
from models.windows.store import SeriesStore

LISTED = 20
"""Series that are named at most."""


@dataclass
class _Seen:
    """What came by while new rows were counted."""

    rows: int = 0
    first: int = 0
    last: int = 0

    def through(self, pieces: Iterator[Piece], series: set[str]) -> Iterator[Piece]:
        for piece in pieces:
            first, last = int(piece.time.min()), int(piece.time.max())
            self.first = min(self.first, first) if self.rows else first
            self.last = max(self.last, last)
            self.rows += len(piece.time)
            series.add(piece.series.decode("utf-8", errors="backslashreplace"))
            yield piece


def monitor(
    examples: Path,
    store: SeriesStore,
    champion: Champion | None,
    settings: MonitorSettings,
    *,
    load: Load,
) -> MonitorReport:
    """Checks whether the champion still fits what has come since its own run.

    Args:
        examples: Folder of this run's Examples.
        store: This run's windows.
        champion: The live model; None if there is none.
        settings: What is checked.
        load: Opens a SavedModel.
    """
    if champion is None:
        return MonitorReport(decision="go", summary=NOT_YET)
    report = IngestReport.load(examples)
    try:
        metadata = read_metadata(champion.path)
        require_forecaster(metadata, "the champion")
        reference = Reference.load(champion.path) or again(champion.path, examples, settings.roles)
    except (BadInputError, OSError) as error:
        # What cannot be judged must not stand in the way of its successor.
        return MonitorReport(
            decision="go",
            summary=f"drift was not checked: champion version {champion.version}: {error}",
            reasons=(str(error),),
        )
    facts, drift = reference.facts, settings.drift
    watched = WatchedChampion(
        version=champion.version,
        digest=champion.digest,
        train_start=iso(facts.train[0]),
        train_end=iso(facts.train[1]),
        data_end=iso(facts.data_end),
        reference="model" if reference.kept else "data",
    )
    frequency = Frequency.parse(report.frequency)
    since = facts.data_end
    if drift.steps is not None:
        since = max(since, round(report.last - drift.steps * frequency.mean_step))
    distributions = Distributions(reference.profile, facts.train[1], drift.columns, frequency)
    seen, series = _Seen(), set[str]()
    new = count_rows(
        seen.through(rows(examples, settings.roles, since + 1, report.last), series),
        settings.roles,
        distributions.columns,
    )
    checks: list[Check] = []
    if drift.data is not None:
        span = (seen.first, seen.last)
        checks.append(distributions.check_data(new, seen.rows, span, drift.data, drift.min_rows))
    if drift.skew is not None:
        checks.append(
            distributions.check_skew(
                settings.requests, metadata, drift.skew, least=drift.min_rows, last=report.last
            )
        )
    if drift.concept is not None:
        checks.append(
            check_concept(
                store,
                champion.path,
                facts.backtest,
                drift.concept,
                since=since,
                metric=settings.metric,
                load=load,
            )
        )
    days = max(0.0, (report.last - facts.data_end) / DAY)
    decided = decide(drift, watched, checks, days=days, force=settings.force)
    known = set(reference.profile.series)
    return decided.model_copy(
        update={
            "new_rows": seen.rows,
            "new_series": tuple(sorted(series - known)[:LISTED]),
            "gone_series": tuple(sorted(known - series)[:LISTED]) if seen.rows else (),
        }
    )
