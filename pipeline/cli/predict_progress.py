"""A progress bar on a terminal; nothing anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from components.predict.predict import Progress, Silent


class _Bar:
    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def stage(self, name: str, total: int | None = None) -> None:
        self._bar.update(self._task, description=name, total=total, completed=0)

    def advance(self, windows: int) -> None:
        self._bar.advance(self._task, windows)


@contextmanager
def bar() -> Iterator[Progress]:
    """A bar on standard error, gone when the block ends."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Silent()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=console, transient=True) as shown:
        yield _Bar(shown)
