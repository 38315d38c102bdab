"""`Outbox`: what a tracking store could not take, kept on disk until it can."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from components.tracking.operation import Operation
from models.errors import FailedRunError

FOLDER = "outbox"
_RUNS = "runs.json"
_REFUSED = "refused"
_OWED = "owed-"
_DIGITS = 12


@dataclass(frozen=True)
class Outbox:
    """A folder with a file for each operation, in order; each is there whole or not at all.

    One process writes at a time: the one that holds the workspace.

    Attributes:
        folder: `<workspace>/mlflow/outbox/<digest of the store's address>`; made when needed.
    """

    folder: Path

    def add(self, operation: Operation) -> None:
        """Keeps `operation`, with a copy of its file or folder.

        Raises:
            FailedRunError: If it cannot be written.
        """
        number = max((int(path.stem) for path in self._files()), default=0) + 1
        path = self.folder / f"{number:0{_DIGITS}}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if operation.source is not None:
                _copy(operation.source, self._attached(path))
            _write(path, operation.to_json())
        except OSError as error:
            _remove(self._attached(path))
            raise FailedRunError(
                f"the tracking store is away and what was to be recorded cannot be kept in "
                f"{self.folder} either: {error.strerror or error}; free space there or make it "
                "writable, then run again"
            ) from error

    def waiting(self) -> Iterator[tuple[Path, Operation | None]]:
        """The operations, oldest first, by their file; None for a file that cannot be read."""
        for path in self._files():
            try:
                operation = Operation.from_json(path.read_text(), self._source(path))
            except (OSError, ValueError):
                yield path, None
            else:
                yield path, operation

    def __len__(self) -> int:
        """How many operations wait."""
        return len(self._files())

    def sent(self, path: Path) -> None:
        """Forgets an operation that the store has."""
        path.unlink(missing_ok=True)
        _remove(self._attached(path))

    def refused(self, path: Path, reason: str) -> None:
        """Puts aside an operation that the store will never take."""
        aside = self.folder / _REFUSED
        aside.mkdir(exist_ok=True)
        if self._attached(path).exists():
            self._attached(path).replace(aside / self._attached(path).name)
        (aside / f"{path.stem}.txt").write_text(reason + "\n")
        path.replace(aside / path.name)

    def runs(self) -> dict[str, str]:
        """The store's id of each run that was started while it was away, and sent since."""
        try:
            return dict(json.loads((self.folder / _RUNS).read_text()))
        except (OSError, ValueError, TypeError):
            return {}

    def remember(self, runs: Mapping[str, str]) -> None:
        """Replaces what `runs` gives back.

        Raises:
            OSError: If it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / _RUNS, json.dumps(dict(runs), indent=0))

    def owe(self, what: str, words: str) -> None:
        """Notes that `what` (such as `registry`) is behind and has to be made up for."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{_OWED}{what}").write_text(words + "\n")

    def settle(self, what: str) -> None:
        """Notes that `what` has been made up for."""
        (self.folder / f"{_OWED}{what}").unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]" * _DIGITS + ".json"))

    @staticmethod
    def _attached(path: Path) -> Path:
        return path.with_suffix(".files")

    def _source(self, path: Path) -> Path | None:
        folder = self._attached(path)
        return next(iter(sorted(folder.iterdir())), None) if folder.is_dir() else None


def anything_waits(workspace: Path) -> bool:
    """Whether a run of `workspace` has left something for its tracking store.

    Imports nothing slow: a run that has nothing else to do asks this first.
    """
    for folder in (workspace / "mlflow" / FOLDER).glob("*"):
        outbox = Outbox(folder)
        if len(outbox) or any(folder.glob(f"{_OWED}*")):
            return True
    return False


def kept(operation: Operation, run: str) -> Operation:
    """`operation` as it is kept: a run that is started later must not be started twice."""
    body = dict(operation.body)
    if operation.kind == "create":
        body["again"] = True
    return replace(operation, run=run, body=body)


def _copy(source: Path, folder: Path) -> None:
    _remove(folder)  # of an operation that was killed before its file was written
    folder.mkdir()
    if source.is_dir():
        shutil.copytree(source, folder / source.name)
    else:
        shutil.copyfile(source, folder / source.name)


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
