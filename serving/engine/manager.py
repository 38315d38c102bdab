"""`ModelManager`: keeps the versions that should be served loaded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from serving.engine.failure import failure
from serving.engine.servable import Servable
from serving.engine.settings import ServedModel
from serving.engine.version_status import State, VersionStatus
from serving.observer import Observer, Silent
from serving.status import Code, ServingError


class ModelManager:
    """First version: loads what is there at the start."""

    def __init__(
        self,
        models: Sequence[ServedModel],
        *,
        poll_seconds: float = 1.0,
        observer: Observer | None = None,
    ) -> None:
        self._models = {model.name: model for model in models}
        self._poll_seconds = poll_seconds
        self._observer = observer or Silent()
        self._loaded: dict[str, dict[int, Servable]] = {}
        self._status: dict[str, dict[int, VersionStatus]] = {}

    async def start(self) -> None:
        """Loads the versions that are there; returns when each was loaded or failed."""
        for model in self._models.values():
            found = [int(p.name) for p in model.base_path.glob("[0-9]*") if p.name.isdecimal()]
            wanted = sorted(found)
            if model.policy.latest:
                wanted = wanted[-model.policy.latest :]
            elif model.policy.specific:
                wanted = [v for v in wanted if v in model.policy.specific]
            for version in wanted:
                await self._load(model.name, version, model.base_path / str(version))

    async def stop(self) -> None:
        """Unloads everything."""
        for versions in self._loaded.values():
            for servable in versions.values():
                servable.close()
        self._loaded.clear()

    async def configure(self, models: Sequence[ServedModel]) -> None:
        """Serves `models` and no others."""
        self._models = {model.name: model for model in models}
        await self.start()

    async def _load(self, name: str, version: int, path: Path) -> None:
        status = self._status.setdefault(name, {})
        try:
            servable = await asyncio.to_thread(Servable, name, version, path)
        except ServingError as error:
            known = failure(error)
            status[version] = VersionStatus(version, State.END, known.code, known.message)
            return
        self._loaded.setdefault(name, {})[version] = servable
        status[version] = VersionStatus(version, State.AVAILABLE)

    @contextlib.contextmanager
    def use(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Iterator[Servable]:
        """A loaded version, which stays loaded as long as the context is open.

        Raises:
            ServingError: NOT_FOUND if there is no such model or version; INVALID_ARGUMENT for an
                unknown label.
        """
        loaded = self._loaded.get(name, {})
        if label is not None:
            labels = self._models[name].labels if name in self._models else {}
            if label not in labels:
                raise ServingError(
                    Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}"
                )
            version = labels[label]
        if version is None:
            if not loaded:
                raise ServingError(
                    Code.NOT_FOUND, f"Servable not found for request: Latest({name})"
                )
            version = max(loaded)
        if version not in loaded:
            raise ServingError(
                Code.NOT_FOUND, f"Servable not found for request: Specific({name}, {version})"
            )
        yield loaded[version]

    def status(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> list[VersionStatus]:
        """The states of the versions of a model, newest first.

        Raises:
            ServingError: NOT_FOUND if there are none.
        """
        found = self._status.get(name, {})
        if version is not None:
            found = {v: s for v, s in found.items() if v == version}
        if not found:
            raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {name}")
        return [found[v] for v in sorted(found, reverse=True)]
