"""`LocalTransport`: a folder of versions, run in this process instead of by a server."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from models.errors import BadInputError
from serving.runtimes.choose import missing_package
from serving.runtimes.runtime import EngineName
from serving.status import Code, ServingError
from serving.transport.transport import Arrays, ModelVersion, Wanted

if TYPE_CHECKING:
    from serving.engine.servable import Servable

_KEPT = 2
"""Versions in memory; one that is used again later is loaded again."""


class LocalTransport:
    """The versions in a folder, as a server that watches it would serve them.

    A version is loaded when it is first used. There is one model, whatever it is called, and there
    are no labels: those are a server's.

    Args:
        folder: Holds a folder for each version, named by its number.
        engine: What runs the signatures that it can; TensorFlow runs the others.

    Raises:
        BadInputError: If there is no such folder, or the engine's package is missing.
    """

    def __init__(self, folder: Path, engine: EngineName) -> None:
        if not folder.is_dir():
            raise BadInputError(f"there is no folder {folder}: push a model first (elman run)")
        if problem := missing_package(engine):
            raise BadInputError(problem)
        self._folder, self._engine = folder, engine
        self._lock = threading.Lock()
        self._loaded: OrderedDict[int, Servable] = OrderedDict()

    def predict(
        self,
        wanted: Wanted,
        signature: str,
        inputs: Arrays,
        outputs: Sequence[str],
        timeout: float,  # noqa: ARG002
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Transport`; a call is not interrupted, however long it takes."""
        from serving.inference.predict import prepare_predict

        servable = self._servable(self._version(wanted))
        prediction = prepare_predict(servable, signature, inputs, outputs).answer(servable)
        return dict(prediction.outputs)

    def serving(self, wanted: Wanted, timeout: float) -> int:  # noqa: ARG002
        """See `Transport`."""
        return self._version(wanted)

    def versions(self, model: str, timeout: float) -> list[ModelVersion]:  # noqa: ARG002
        """See `Transport`."""
        return [ModelVersion(version, "AVAILABLE") for version in self._there()]

    def close(self) -> None:
        """Lets the models go."""
        with self._lock:
            self._loaded.clear()

    def _there(self) -> list[int]:
        from serving.engine.source import versions_in

        return sorted(versions_in(self._folder) or {}, reverse=True)

    def _version(self, wanted: Wanted) -> int:
        if wanted.label is not None:
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"a folder has no labels, such as {wanted.label!r}; give a version",
            )
        there = self._there()
        if not there:
            raise ServingError(Code.NOT_FOUND, f"there is no version in {self._folder}")
        if wanted.version is None:
            return there[0]
        if wanted.version not in there:
            raise ServingError(
                Code.NOT_FOUND, f"there is no version {wanted.version} in {self._folder}"
            )
        return wanted.version

    def _servable(self, version: int) -> Servable:
        from serving.engine.loading import opened
        from serving.engine.source import versions_in

        with self._lock:  # Loading takes seconds; whoever wants another version meanwhile waits.
            found = self._loaded.get(version)
            if found is None:
                folder = (versions_in(self._folder) or {}).get(version)
                if folder is None:
                    raise ServingError(Code.NOT_FOUND, f"version {version} is gone")
                found = opened(self._folder.name, version, folder, None, self._engine)
                self._loaded[version] = found
                # Not closed but forgotten: another thread may be using it, and frees it.
                while len(self._loaded) > _KEPT:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(version)
            return found
