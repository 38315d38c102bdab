"""`Recorder`: what a component may say about its work; the runner decides who listens.

Components call `current()` and never import MLflow themselves, so that a test, or a person in a
notebook, can call the same code without a tracking store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Recorder(Protocol):
    """Receives parameters, metrics, tags, figures and files of one component's run."""

    def params(self, values: Mapping[str, Any]) -> None:
        """Records parameters (any JSON value; kept as text)."""

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Records metrics, at `step` (an epoch or a horizon step) where one is given."""

    def tags(self, values: Mapping[str, str]) -> None:
        """Records tags."""

    def figure(self, figure: Figure, path: str) -> None:
        """Keeps a matplotlib figure as the artifact `path` (.png) and closes it."""

    def data(self, values: Any, path: str) -> None:
        """Keeps a JSON-able value as the artifact `path` (.json)."""

    def file(self, source: Path, path: str | None = None) -> None:
        """Keeps a file under the artifact folder `path`."""

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """Says how far the work is: `done` of `total` epochs (or parts), with current figures."""

    def warn(self, text: str) -> None:
        """Says something a person should read, in plain words."""

    def nested(self, name: str, tags: Mapping[str, str]) -> NestedRecorder:
        """Starts a part that is recorded by itself, such as a trial; several may be open."""


class NestedRecorder(Recorder, Protocol):
    """Receives what one part of a component's work says."""

    def end(self, status: Literal["FINISHED", "FAILED", "KILLED"], message: str = "") -> None:
        """Ends the part; call it once. `message` says why it did not finish."""


class SilentRecorder:
    """Listens to nothing."""

    def params(self, values: Mapping[str, Any]) -> None:
        """Ignored."""

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Ignored."""

    def tags(self, values: Mapping[str, str]) -> None:
        """Ignored."""

    def figure(self, figure: Figure, path: str) -> None:
        """Ignored."""

    def data(self, values: Any, path: str) -> None:
        """Ignored."""

    def file(self, source: Path, path: str | None = None) -> None:
        """Ignored."""

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """Ignored."""

    def warn(self, text: str) -> None:
        """Ignored."""

    def nested(self, name: str, tags: Mapping[str, str]) -> NestedRecorder:  # noqa: ARG002
        """A silent one."""
        return SilentRecorder()

    def end(self, status: str, message: str = "") -> None:
        """Ignored."""


_current: ContextVar[Recorder] = ContextVar("elman_recorder")


def current() -> Recorder:
    """The recorder of the component that runs now; a silent one outside a run."""
    return _current.get(SilentRecorder())


@contextmanager
def use(recorder: Recorder) -> Iterator[Recorder]:
    """Makes `recorder` the current one inside the block."""
    token = _current.set(recorder)
    try:
        yield recorder
    finally:
        _current.reset(token)
