"""`GrowingSpans`: a file or table that grows, cut into periods of time."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from components.ingest import files
from components.ingest.columns import Wanted
from components.ingest.config import DataConfig
from components.ingest.ingest import read_files, read_table
from components.ingest.report import FILE, SourceReport
from components.ingest.stage import Stage, connect
from components.spans import incoming
from components.spans.cut import Cut, cuts
from components.spans.listing import look
from components.spans.period import Periods
from components.spans.reading import Terms
from components.spans.rows import save_rows
from components.spans.span import Span, SpanFile
from components.spans.state import Known, SpanState
from models.frequency import Frequency
from models.roles import Roles


@dataclass
class GrowingSpans:
    """See `SpanSource`.

    Attributes:
        periods: What it is cut into.
        stage: The rows that were read; None if the source has not changed since.
        first: Number of the first period that was read; None: all were.
        files: The files as they are now; empty for a database.
        cuts: What was read, by number.
        state: What was known.
        keep: `data.spans.keep`.
        settings: Of the terms.
    """

    periods: Periods
    stage: Stage | None
    first: int | None
    files: tuple[SpanFile, ...]
    cuts: dict[int, Cut]
    state: SpanState
    keep: int | None
    settings: str
    name: str = ""
    _seen: dict[int, Span] = field(default_factory=dict)

    @property
    def there(self) -> Collection[int]:
        """See `SpanSource.there`: what was read, and what was there when older periods were."""
        return {*self.cuts, *(n for n in self.state.numbers if self._unread(n))}

    def span(self, number: int) -> Span | None:
        """See `SpanSource.span`."""
        known = self.state.known(number) or Known()
        if self._unread(number):
            return known.newest.span if known.newest is not None else None
        if number not in self.cuts:
            return None
        content = self.cuts[number].content
        version = 0
        if known.newest is not None:
            version = known.newest.span.version + (known.newest.span.content != content)
        label = self.periods.label(number)
        return Span(number=number, version=version, label=label, content=content)

    def taken_in(self, span: Span, folder: Path) -> Span:
        """See `SpanSource.taken_in`."""
        assert self.stage is not None
        cut = self.cuts[span.number]
        first, last = self.periods.bounds(span.number)
        folder.mkdir(parents=True, exist_ok=True)
        save_rows(self.stage, folder, f"t >= {first} AND t < {last}")
        dropped, unplaced = cut.dropped, cut.unplaced
        incoming.save(
            incoming.Piece(
                source=SourceReport(
                    name=f"{self.name}, {span.label}",
                    rows=cut.rows + sum(dropped.values()),
                    bytes=(folder / "rows.parquet").stat().st_size,
                    sha256=cut.content,
                ),
                dropped=dropped,
                unplaced=unplaced,
                bad=tuple(incoming.bad_row(reject) for reject in cut.bad),
            ),
            folder,
        )
        return span.model_copy(update={"incoming": str(folder)})

    def noted(self, state: SpanState) -> SpanState:
        """See `SpanSource.noted`."""
        return state.model_copy(
            update={"source": self.files, "source_settings": self.settings, "keep": self.keep}
        )

    def _unread(self, number: int) -> bool:
        return self.stage is None or (self.first is not None and number < self.first)


@contextmanager
def growing(
    data: DataConfig,
    roles: Roles,
    base: Path,
    state: SpanState,
    terms: Terms,
    *,
    fresh: bool = False,
) -> Iterator[GrowingSpans]:
    """The source as it is now.

    A database is asked for rows from the newest known period minus `data.spans.late` on. Files
    that have not changed are not read; others are read whole, for they can only be read so, and
    late rows of any period are found.

    Args:
        data: With `data.spans.period`.
        roles: The columns to keep.
        base: The folder that relative paths start from.
        state: What is known.
        terms: Of this configuration and code.
        fresh: Whether to read everything.

    Raises:
        BadInputError: If it cannot be read.
    """
    assert data.spans is not None
    assert data.spans.period is not None
    periods = Periods(data.spans.period)
    found: tuple[SpanFile, ...] = ()
    if data.path is not None:
        before = {file.path: file for file in state.source}
        found = tuple(look(path, before) for path in files.paths(data.path, base))
    settings = f"{terms.settings} {terms.code}"
    first = None if fresh else _first(data, state, settings)
    keep = data.spans.keep
    name = data.path or (f"table {data.table}" if data.table is not None else "the query")
    same = [f.sha256 for f in found] == [f.sha256 for f in state.source]
    idle = same and first is not None and not _retry(state, terms) and not _lost(data, state)
    if data.path is not None and idle:
        yield GrowingSpans(periods, None, first, found, {}, state, keep, settings, name)
        return
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="elman-spans-")))
        connection = stack.enter_context(connect(work))
        stage = Stage(connection, data, Wanted.of(data, roles), Frequency.parse(data.frequency))
        stage.create()
        if data.path is not None:
            first = None
        start = None if first is None else periods.bounds(first)[0]
        if data.path is not None:
            read_files(stage, [files.source_file(Path(f.path), data.format, base) for f in found])
        else:
            read_table(stage, base, work, start)
        if start is not None:
            stage.drop(f"t < {start}")
        read = cuts(stage, periods, start)
        yield GrowingSpans(periods, stage, first, found, read, state, keep, settings, name)


def _first(data: DataConfig, state: SpanState, settings: str) -> int | None:
    """The first period to read; None: all of them, for they are new or a longer range is wanted."""
    assert data.spans is not None
    longer = state.keep is not None and (data.spans.keep is None or data.spans.keep > state.keep)
    if not state.numbers or longer or state.source_settings != settings:
        return None
    blocked = [n for n in _range(data, state) if (k := state.known(n)) is not None and k.blocked]
    return min([state.numbers[-1] - data.spans.late, *blocked, *_lost(data, state)])


def _range(data: DataConfig, state: SpanState) -> list[int]:
    assert data.spans is not None
    return state.numbers if data.spans.keep is None else state.numbers[-data.spans.keep :]


def _lost(data: DataConfig, state: SpanState) -> list[int]:
    """Periods of the range whose artifacts are not there any more."""
    return [
        number
        for number in _range(data, state)
        if (known := state.known(number)) is not None
        and known.blocked is None
        and not (known.good is not None and Path(known.good.uri, FILE).is_file())
    ]


def _retry(state: SpanState, terms: Terms) -> bool:
    """Whether a blocked period may pass now: then the source is read, changed or not."""
    blocked = [k.blocked for k in state.spans.values() if k.blocked is not None]
    return any(b.schema_digest != terms.schema_digest for b in blocked)
