"""`SpanSource`: what the data holds now, span by span."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from components.ingest.config import DataConfig
from components.spans.reading import Terms
from components.spans.span import Span
from components.spans.state import SpanState
from models.roles import Roles


class SpanSource(Protocol):
    """Files that a path names span by span, or a growing source that is cut by time."""

    @property
    def there(self) -> Collection[int]:
        """Numbers of the spans that it is known to hold."""

    def span(self, number: int) -> Span | None:
        """A span as the source holds it now, or None if it does not.

        Raises:
            BadInputError: If it cannot be read.
        """

    def taken_in(self, span: Span, folder: Path) -> Span:
        """The span, ready to be ingested: a piece of a growing source is written to `folder`."""

    def noted(self, state: SpanState) -> SpanState:
        """The state with how far the source was looked at."""


@contextmanager
def opened(
    data: DataConfig,
    roles: Roles,
    base: Path,
    state: SpanState,
    terms: Terms,
    *,
    fresh: bool = False,
) -> Iterator[SpanSource]:
    """The source of a configuration with `data.spans`, while it is being looked at.

    Args:
        data: The source.
        roles: The columns to keep.
        base: The folder that relative paths start from.
        state: What is known: what has not changed is not read again.
        terms: Of this configuration and code.
        fresh: Whether to look at everything.

    Raises:
        BadInputError: If it cannot be read.
    """
    from components.spans.file_spans import FileSpans
    from components.spans.growing import growing

    assert data.spans is not None
    if data.spans.period is None:
        yield FileSpans(data, base, state)
        return
    with growing(data, roles, base, state, terms, fresh=fresh) as source:
        yield source
