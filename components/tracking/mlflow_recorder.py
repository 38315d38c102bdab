"""`MlflowRecorder`: keeps what a component says in one MLflow run, named, never a global one."""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from components.secrets import scrubbed
from components.tracking.delivery import Delivery
from components.tracking.entries import (
    TAG_LENGTH,
    entry_name,
    param_texts,
    plain,
    shortened,
    split_finite,
    text_of,
)
from components.tracking.operation import Operation
from components.tracking.recorder import NestedRecorder
from components.tracking.store import TrackingStore

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARAMS_PER_CALL = 100
METRICS_PER_CALL = 1000


class Listener(Protocol):
    """Hears what a component says while it runs, for example to show it on a terminal."""

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """See `Recorder.progress`."""

    def warn(self, text: str) -> None:
        """See `Recorder.warn`."""


class MlflowRecorder:
    """A `Recorder` that writes to one run.

    Attributes:
        delivery: Brings what is said to the store, now or when it is back.
        warnings: What `warn` was told.
    """

    def __init__(
        self,
        delivery: Delivery,
        run: Callable[[], str],
        *,
        listener: Listener | None = None,
        parent_run_id: str | None = None,
        nest: Callable[[str, str, Mapping[str, str]], NestedRecorder] | None = None,
    ) -> None:
        """Makes a recorder.

        Args:
            delivery: To the store.
            run: Gives the run's id; called when there is something to write, so that a run need
                not exist before.
            listener: Hears progress and warnings.
            parent_run_id: The run of the whole pipeline run.
            nest: Starts a run below the one with the id given, with a name and tags.
        """
        self.delivery = delivery
        self._nest = nest
        self._parent = parent_run_id
        self._run = run
        self._listener = listener
        self._params: dict[str, str] = {}
        self._not_finite: set[str] = set()
        self.warnings: list[str] = []

    @property
    def store(self) -> TrackingStore:
        """Where the run is kept."""
        return self.delivery.store

    @property
    def run_id(self) -> str:
        """The run's id; the run is made now if it was not there."""
        return self.delivery.resolve(self._run())

    @property
    def parent_run_id(self) -> str | None:
        """The run of the whole pipeline run; None if there is none."""
        return None if self._parent is None else self.delivery.resolve(self._parent)

    def params(self, values: Mapping[str, Any]) -> None:
        """Records parameters; one that was recorded with another value keeps its first one."""
        texts = param_texts(values)
        for name, text in texts.items():
            if self._params.get(name, text) != text:
                self.warn(
                    f"parameter {name} stays {shortened(self._params[name], 60)!r} in the tracking "
                    f"store, which keeps first values; later it was {shortened(text, 60)!r}"
                )
        new = {k: v for k, v in texts.items() if k not in self._params}
        if not new:
            return
        for part in _parts(list(new.items()), PARAMS_PER_CALL):
            self._batch("record parameters", params=part)
        self._params.update(new)

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Records metrics; nan and infinity are left out and said once by name."""
        finite, rest = split_finite(values)
        for name in rest:
            if name not in self._not_finite:
                self._not_finite.add(name)
                value: Any = values[name]
                shown = "missing" if value is None or math.isnan(value) else "infinite"
                where = "" if step is None else f" at step {step}"
                self.warn(f"metric {name} is {shown}{where} and was not recorded")
        if not finite:
            return
        now = int(time.time() * 1000)
        batch = [(k, v, now, step or 0) for k, v in finite.items()]
        for part in _parts(batch, METRICS_PER_CALL):
            self._batch("record metrics", metrics=part)

    def courses(self, values: Mapping[str, Sequence[float | None]]) -> None:
        """Records whole courses at once: by metric, the values at the steps 1, 2 and so on.

        What is no finite number is left out without a word: `metrics` of the component that
        measured it has said so.
        """
        now = int(time.time() * 1000)
        batch = [
            (entry_name(name), float(value), now, step)
            for name, course in values.items()
            for step, value in enumerate(course, start=1)
            if value is not None and math.isfinite(value)
        ]
        for part in _parts(batch, METRICS_PER_CALL):
            self._batch("record metrics", metrics=part)

    def tags(self, values: Mapping[str, str]) -> None:
        """Records tags; a later value replaces an earlier one."""
        batch = [(entry_name(k), shortened(text_of(v), TAG_LENGTH)) for k, v in values.items()]
        for part in _parts(batch, PARAMS_PER_CALL):
            self._batch("record tags", tags=part)

    def figure(self, figure: Figure, path: str) -> None:
        """Keeps a figure as the artifact `path` and closes it."""
        try:
            self._made(path, lambda file: figure.savefig(file))
        finally:
            pyplot = sys.modules.get("matplotlib.pyplot")
            if pyplot is not None:
                pyplot.close(figure)
            figure.clear()

    def data(self, values: Any, path: str) -> None:
        """Keeps a value as JSON; nan and infinity become null."""
        text = json.dumps(plain(values), indent=1, ensure_ascii=False)
        self.text(text + "\n", path)

    def text(self, content: str, path: str) -> None:
        """Keeps `content` as the artifact `path`."""
        shown = scrubbed(content)
        self._made(path, lambda file: file.write_text(shown, encoding="utf-8"))

    def file(self, source: Path, path: str | None = None) -> None:
        """Keeps a file, or a folder with all in it, under the artifact folder `path`."""
        if source.is_dir():
            path = source.name if path is None else f"{path}/{source.name}"
        self._artifact(source, path, source.name)

    def nested(self, name: str, tags: Mapping[str, str]) -> NestedRecorder:
        """Starts a run below this one.

        Raises:
            RuntimeError: If this is a nested run itself.
        """
        if self._nest is None:
            raise RuntimeError(f"this run cannot hold another one ({name!r})")
        return self._nest(self.run_id, name, tags)

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """Passes progress on to the listener; the store keeps metrics, not progress."""
        if self._listener is not None:
            self._listener.progress(done, total, values)

    def warn(self, text: str) -> None:
        """Passes a warning on to the listener and keeps it in the tag `elman.warnings`."""
        if self._listener is not None:
            self._listener.warn(text)
        self.warnings.append(text)
        self.tags({"elman.warnings": "\n".join(self.warnings)})

    def _batch(self, what: str, **body: list[Any]) -> None:
        self.delivery.send(Operation("batch", self.run_id, what, body))

    def _made(self, path: str, write: Callable[[Path], object]) -> None:
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory(prefix="elman-") as temporary:
            file = Path(temporary) / name
            write(file)
            self._artifact(file, folder or None, path)

    def _artifact(self, source: Path, path: str | None, name: str) -> None:
        operation = Operation("artifact", self.run_id, f"keep {name}", {"path": path}, source)
        self.delivery.send(operation)


def _parts(items: list[Any], size: int) -> Iterable[list[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
