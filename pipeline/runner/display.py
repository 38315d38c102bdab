"""Live progress of a run on the terminal: one line per component, one moving line for epochs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.status import Status


class Display(Protocol):
    """Shows how a run goes."""

    def starting(self, node: str, position: int, total: int) -> None:
        """Component `node`, the `position`-th of `total`, starts."""

    def finished(self, node: str, *, cached: bool, seconds: float, detail: str) -> None:
        """Component `node` has finished, or was re-used."""

    def failed(self, node: str, seconds: float) -> None:
        """Component `node` has failed."""

    def retrying(self, node: str, reason: str, wait: float) -> None:
        """Component `node` failed with `reason` and is tried again after `wait` seconds."""

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """The running component has done `done` of `total` epochs."""

    def say(self, text: str) -> None:
        """A line of plain words."""

    def warn(self, text: str) -> None:
        """A line that a person should read."""

    def close(self) -> None:
        """The run is over."""


class TerminalDisplay:
    """Writes to a terminal, or plain lines to anything else."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._node = ""
        self._since = 0.0
        self._spoken = 0.0

    def starting(self, node: str, position: int, total: int) -> None:
        """See `Display`."""
        self._node, self._since, self._spoken = node, time.monotonic(), time.monotonic()
        if self._console.is_terminal:
            self._status = self._console.status(f"[{position}/{total}] {node}")
            self._status.start()

    def finished(self, node: str, *, cached: bool, seconds: float, detail: str) -> None:
        """See `Display`."""
        self._stop()
        mark = "[cyan]re-used[/]" if cached else f"{seconds:6.1f} s"
        self._console.print(f"  [green]✓[/] {node:<14} {mark:>8}  [dim]{escape(detail)}[/]")

    def failed(self, node: str, seconds: float) -> None:
        """See `Display`."""
        self._stop()
        self._console.print(f"  [red]✗[/] {node:<14} {seconds:6.1f} s")

    def retrying(self, node: str, reason: str, wait: float) -> None:
        """See `Display`."""
        self.warn(f"{node} failed ({reason}); trying again in {wait:.0f} s")

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """See `Display`."""
        now = time.monotonic()
        left = (now - self._since) / max(done, 1) * (total - done)
        figures = "".join(f"  {name} {value:.4g}" for name, value in values.items())
        ahead = f"  at most {left:.0f} s left" if done < total else ""
        line = f"{self._node}: {done}/{total}{figures}{ahead}"
        if self._status is not None:
            self._status.update(escape(line))
        elif now - self._spoken >= 10:
            self._spoken = now
            self._console.print(f"    {escape(line)}")

    def say(self, text: str) -> None:
        """See `Display`."""
        self._console.print(escape(text))

    def warn(self, text: str) -> None:
        """See `Display`."""
        self._console.print(f"  [yellow]![/] {escape(text)}")

    def close(self) -> None:
        """See `Display`."""
        self._stop()

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
