"""The spans of a configuration as they are now, without TFX."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from components.spans.plan import SpanPlan, plan
from components.spans.reading import Terms
from components.spans.source import SpanSource, opened
from components.spans.state import SpanState
from pipeline.config import LoadedConfig


@contextmanager
def look(
    loaded: LoadedConfig, *, fresh: bool = False, state: SpanState | None = None
) -> Iterator[tuple[SpanSource, SpanPlan]]:
    """The source, open, and what a run would do with it now. Nothing is written.

    Args:
        loaded: A configuration with `data.spans`.
        fresh: Whether to plan to ingest every span again that the source still holds.
        state: What is known; None: what the workspace says.

    Raises:
        BadInputError: If the source cannot be read, or holds no span.
    """
    config = loaded.forecast
    if state is None:
        state = SpanState.load(loaded.workspace, config.name)
    terms = Terms.of(config.data, config.roles, loaded.schema_path)
    with opened(config.data, config.roles, loaded.folder, state, terms, fresh=fresh) as source:
        yield source, plan(config.data, source, state, terms, fresh=fresh)


def spans_fingerprint(loaded: LoadedConfig) -> str:
    """Digest of what the range of spans holds now; what has not changed is not read.

    Raises:
        BadInputError: As `look`.
    """
    with look(loaded) as (_, now):
        return now.fingerprint
