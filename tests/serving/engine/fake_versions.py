"""Versions on disk that cost nothing to load, and what a manager loads of them."""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any, cast

from tensorflow.core.protobuf import saved_model_pb2

from serving.engine.servable import Servable
from serving.status import Code, ServingError

BROKEN = "broken"


def write_version(base: Path, version: int | str, *, broken: bool = False) -> Path:
    """Puts a version where a server looks, as a push does: written aside, then renamed.

    Args:
        base: The model's folder.
        version: The version, or the name of its folder.
        broken: Whether it is complete and yet cannot be loaded.
    """
    staging = base / f".staging-{version}"
    staging.mkdir(parents=True)
    saved_model = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    saved_model.meta_graphs.add().meta_info_def.tags.append("serve")
    (staging / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    if broken:
        (staging / BROKEN).touch()
    return staging.rename(base / str(version))


def write_half(base: Path, version: int) -> Path:
    """Begins to write a version, as a copy does."""
    folder = base / str(version)
    folder.mkdir(parents=True)
    (folder / "fingerprint.pb").write_bytes(b"first")
    return folder


def complete(folder: Path, *, broken: bool = False) -> None:
    """Writes the rest of what `write_half` began."""
    source = write_version(folder.parent / ".aside", folder.name, broken=broken)
    for file in source.iterdir():
        shutil.move(file, folder / file.name)
    shutil.rmtree(folder.parent / ".aside")


class FakeServable:
    """What `Loads` makes of a folder."""

    def __init__(self, name: str, version: int, path: Path) -> None:
        self.name, self.version, self.path = name, version, path
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Loads:
    """A loader that keeps what it did, and can be made to wait.

    Attributes:
        started: Versions, in the order in which their loading began.
        made: All servables.
    """

    def __init__(self) -> None:
        self.started: list[int] = []
        self.made: list[FakeServable] = []
        self.fail: set[int] = set()
        self._gates: dict[int, threading.Event] = defaultdict(_open_gate)

    def hold(self, version: int) -> threading.Event:
        """Makes loading `version` wait for the event that is returned."""
        self._gates[version] = threading.Event()
        return self._gates[version]

    def __call__(self, name: str, version: int, path: Path) -> Servable:
        self.started.append(version)
        if not self._gates[version].wait(60):
            raise TimeoutError
        if version in self.fail or (path / BROKEN).exists():
            raise ServingError(Code.DATA_LOSS, f"{path}/saved_model.pb is broken")
        if not (path / "saved_model.pb").exists():
            raise FileNotFoundError(path)
        self.made.append(FakeServable(name, version, path))
        return cast(Servable, self.made[-1])

    def open(self) -> list[int]:
        """Versions that are in memory, ascending."""
        return sorted(each.version for each in self.made if not each.closed)


def _open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def as_fake(servable: Any) -> FakeServable:
    """`servable`, which is known to be a fake."""
    assert isinstance(servable, FakeServable)
    return servable
