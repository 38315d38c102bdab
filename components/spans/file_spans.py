"""`FileSpans`: spans that are files of their own."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from components.ingest.config import DataConfig
from components.spans.listing import list_spans, look
from components.spans.span import Span, content_of
from components.spans.state import Known, SpanState


class FileSpans:
    """See `SpanSource`. A file's content is read only where its size or time has changed."""

    def __init__(self, data: DataConfig, base: Path, state: SpanState) -> None:
        """Lists the files.

        Raises:
            BadInputError: As `list_spans`.
        """
        assert data.path is not None
        self._listed = list_spans(data.path, base)
        self._state = state
        self._seen: dict[int, Span] = {}

    @property
    def there(self) -> Collection[int]:
        """See `SpanSource.there`."""
        return self._listed.keys()

    def span(self, number: int) -> Span | None:
        """See `SpanSource.span`."""
        if number not in self._listed:
            return None
        if number not in self._seen:
            self._seen[number] = self._span(number, self._state.known(number) or Known())
        return self._seen[number]

    def taken_in(self, span: Span, folder: Path) -> Span:  # noqa: ARG002
        """See `SpanSource.taken_in`: files are read where they are."""
        return span

    def noted(self, state: SpanState) -> SpanState:
        """See `SpanSource.noted`: files that were only touched are not read again."""
        spans = dict(state.spans)
        for number, span in self._seen.items():
            known = state.known(number)
            if known is None:
                continue
            entries = {"good": known.good, "blocked": known.blocked}
            spans[str(number)] = known.model_copy(
                update={
                    name: entry.model_copy(
                        update={"span": entry.span.model_copy(update={"files": span.files})}
                    )
                    for name, entry in entries.items()
                    if entry is not None and entry.span.content == span.content
                }
            )
        return state.model_copy(update={"spans": spans})

    def _span(self, number: int, known: Known) -> Span:
        listed = self._listed[number]
        before = {
            file.path: file
            for entry in (known.good, known.blocked)
            if entry is not None
            for file in entry.span.files
        }
        files = tuple(look(path, before) for path in listed.paths)
        content, version = content_of(files), listed.version
        if version is None:
            # A path that names no versions: the changes of the content are counted.
            newest = known.newest
            version = 0 if newest is None else newest.span.version
            version += newest is not None and newest.span.content != content
        return Span(
            number=number, version=version, label=listed.label, content=content, files=files
        )
