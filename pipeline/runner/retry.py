"""Trying a component again, where what it reads or writes may be away for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.errors import ElmanError, FailedRunError
from pipeline.runner.display import Display
from pipeline.runner.environment import explained

RETRIES: Mapping[str, int] = {
    "span_ingest": 2,
    "span_statistics": 1,
    "ingest": 2,
    "statistics": 1,
    "serving_check": 1,
    "push": 2,
}
"""Further attempts of each retryable component."""
FIRST_WAIT = 1.0
"""Seconds before the first further attempt; doubled before each one after it."""


def with_retries(
    name: str,
    attempt: Callable[[], Any],
    *,
    display: Display,
    sleep: Callable[[float], None] = time.sleep,
    workspace: Path | None = None,
) -> Any:
    """What `attempt` returns, tried again with back-off if component `name` is retryable.

    A refusal of Elman's own (bad input, a failed training) would only be repeated: it is never
    tried again.

    Args:
        name: The component.
        attempt: Does the work.
        display: Told of every further attempt.
        sleep: Waits the given seconds.
        workspace: Of the run, for words on its disk.

    Raises:
        ElmanError: As raised by `attempt`.
        FailedRunError: If `attempt` raised anything else, the last time.
    """
    wait = FIRST_WAIT
    left = RETRIES.get(name, 0)
    while True:
        try:
            return attempt()
        except ElmanError:
            raise
        except Exception as error:
            kind = type(error).__name__
            words = explained(error, workspace) if workspace is not None else ""
            if words and not left:
                raise FailedRunError(f"Component {name}: {words}.") from error
            if not left:
                raise FailedRunError(
                    f"Component {name} failed with {kind}: {error}. This is an error of the "
                    "environment or of Elman, not of the configuration; the log has the "
                    "details, and --debug shows where it happened."
                ) from error
            first_line = str(error).strip().partition("\n")[0]
            display.retrying(name, f"{kind}: {first_line}", wait)
        left -= 1
        sleep(wait)
        wait *= 2
