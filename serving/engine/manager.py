"""`ModelManager`: keeps the versions loaded that should be served, and lends them to requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from serving.engine.labels import assigned
from serving.engine.loading import Loader, loader
from serving.engine.record import Record
from serving.engine.servable import Servable
from serving.engine.settings import ServedModel, checked
from serving.engine.version_status import VersionStatus
from serving.engine.versions import ModelVersions, Surroundings
from serving.observer import Observer, Silent
from serving.status import Code, ServingError

_log = logging.getLogger(__name__)
_LONGEST_NAME = 200
_RETIRED = 32
"""Models that are served no more whose status is kept."""


class ModelManager:
    """Loads and drops versions as folders come and go, so that there is always one to use.

    A new version takes requests when it is loaded and warmed up; only then the old one is dropped,
    when the last of its requests is answered. What cannot be loaded replaces nothing.

    All methods belong to the event loop that called `start`.

    Args:
        models: To serve.
        poll_seconds: Between looks at the models' folders; 0: only `start` looks (and `poll`).
        observer: Hears of changes.
        load: Makes servables; None: loads SavedModels and runs their warm-up requests.
        load_threads: Versions that are loaded at the same time.
        retries: Further attempts after a version failed to load.
        retry_seconds: Between them.
        labels_before_versions: Whether a new label may name a version that is not available yet.
        keep_last: Whether the last versions stay when the folder holds none any more.

    Raises:
        ServingError: INVALID_ARGUMENT if two models have the same name.
    """

    def __init__(
        self,
        models: Sequence[ServedModel],
        *,
        poll_seconds: float = 1.0,
        observer: Observer | None = None,
        load: Loader | None = None,
        load_threads: int = 2,
        retries: int = 5,
        retry_seconds: float = 60.0,
        labels_before_versions: bool = False,
        keep_last: bool = False,
    ) -> None:
        self._served = checked(models)
        self._poll_seconds = poll_seconds
        self._labels_before_versions = labels_before_versions
        self._threads = ThreadPoolExecutor(load_threads, thread_name_prefix="load")
        self._surroundings = Surroundings(
            loader=load or loader(),
            threads=self._threads,
            observer=observer or Silent(),
            retries=retries,
            retry_seconds=retry_seconds,
            keep_last=keep_last,
        )
        self._models: dict[str, ModelVersions] = {}
        self._retired: dict[str, ModelVersions] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._configuring = asyncio.Lock()
        self._polling: asyncio.Task[None] | None = None

    @property
    def models(self) -> tuple[ServedModel, ...]:
        """What is served, or is to be, by the last configuration."""
        return self._served

    async def start(self) -> None:
        """Loads what there is; returns when each version found was loaded or has failed.

        A model without versions is no error: it is served once there is one.

        Raises:
            ServingError: FAILED_PRECONDITION if a label names a version that is not available
                (see `configure`); nothing is served then.
        """
        for model in self._served:
            self._models[model.name] = ModelVersions(model, self._surroundings)
        try:
            await self.poll()
            self._assign_labels(self._served)
        except BaseException:
            await self.stop()
            raise
        if self._poll_seconds > 0:
            self._polling = asyncio.get_running_loop().create_task(self._keep_looking())

    async def stop(self) -> None:
        """Drops everything; requests that are being answered fail, so let them end before."""
        if self._polling is not None:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling
            self._polling = None
        everything = [*self._models.values(), *self._retired.values()]
        await asyncio.gather(*(versions.stop() for versions in everything))
        self._threads.shutdown(wait=False)

    async def poll(self) -> None:
        """Looks at the folders once; returns when every load that this caused has ended."""
        await asyncio.gather(*(versions.settle() for versions in self._models.values()))

    async def configure(self, models: Sequence[ServedModel]) -> None:
        """Serves `models` and no others; returns when the new ones are available.

        Models that are gone are dropped, those that are in both lists go on without a gap.

        Raises:
            ServingError: INVALID_ARGUMENT for `models` that make no sense (then nothing changes);
                UNKNOWN if a new model has no version that can be loaded (it is tried further);
                FAILED_PRECONDITION if a label names a version that is not available (the labels
                stay what they were).
        """
        wanted = {model.name: model for model in checked(models)}
        async with self._configuring:
            for name in set(self._models) - set(wanted):
                self._models[name].retire()
                self._retired[name] = self._models.pop(name)
            new = [model for name, model in wanted.items() if name not in self._models]
            for model in new:
                self._retired.pop(model.name, None)
                self._models[model.name] = ModelVersions(model, self._surroundings)
            while len(self._retired) > _RETIRED:
                del self._retired[next(iter(self._retired))]
            for name, model in wanted.items():
                self._models[name].model = model
            self._served = tuple(wanted.values())
            await self.poll()
            lacking = [model.name for model in new if self._models[model.name].newest() is None]
            if lacking:
                raise ServingError(
                    Code.UNKNOWN,
                    f"Some models did not become available: {{{', '.join(sorted(lacking))}}}",
                )
            self._assign_labels(self._served)

    def use(self, name: str, version: int | None = None, label: str | None = None) -> Lease:
        """Lends a version: `with manager.use("co2") as servable`. It stays loaded that long.

        Args:
            name: The model.
            version: None: the one that `label` names, or else the newest that is available.
            label: Of a version.

        Raises:
            ServingError: On entering: NOT_FOUND if there is no such version (now), INVALID_ARGUMENT
                for a label that is not known.
        """
        return Lease(self, name, version, label)

    def status(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> list[VersionStatus]:
        """The states of a model's versions, newest first; of one, if `version` or `label` says so.

        Raises:
            ServingError: NOT_FOUND if there are none, INVALID_ARGUMENT for a label that is not
                known.
        """
        if label is not None and version is None:
            version = self._labelled(name, label)
        versions = self._models.get(name) or self._retired.get(name)
        found = versions.statuses() if versions is not None else []
        if version is None and found:
            return found
        found = [status for status in found if status.version == version]
        if not found:
            what = "any versions" if version is None else f"version {version}"
            raise ServingError(Code.NOT_FOUND, f"Could not find {what} of model {_short(name)}")
        return found

    def resolve(self, name: str, version: int | None, label: str | None) -> Record:
        """The version that a request names; see `use`."""
        if label is not None and version is None:
            version = self._labelled(name, label)
        versions = self._models.get(name) or self._retired.get(name)
        record = None
        if versions is not None:
            record = versions.newest() if version is None else versions.available(version)
        if record is None:
            shown = _short(name)
            what = f"Latest({shown})" if version is None else f"Specific({shown}, {version})"
            raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {what}")
        return record

    def _labelled(self, name: str, label: str) -> int:
        version = self._labels.get(name, {}).get(label)
        if version is None:
            raise ServingError(
                Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {_short(label)}"
            )
        return version

    def _assign_labels(self, models: Iterable[ServedModel]) -> None:
        self._labels = assigned(
            models,
            self._labels,
            available=lambda name, version: self._models[name].available(version) is not None,
            before_versions=self._labels_before_versions,
        )

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            await asyncio.gather(*map(_look, self._models.values()))


async def _look(versions: ModelVersions) -> None:
    try:
        await versions.refresh()
    except Exception:
        _log.exception("model %s: its folder was not looked at", versions.model.name)


def _short(name: str) -> str:
    """A name that a client sent, as much of it as a message can bear."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


class Lease:
    """A version on loan; see `ModelManager.use`."""

    __slots__ = ("_manager", "_record", "_request")

    def __init__(
        self, manager: ModelManager, name: str, version: int | None, label: str | None
    ) -> None:
        self._manager = manager
        self._request = (name, version, label)
        self._record: Record | None = None

    def __enter__(self) -> Servable:
        self._record = self._manager.resolve(*self._request)
        return self._record.taken()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        record, self._record = self._record, None
        if record is not None:
            record.left()
