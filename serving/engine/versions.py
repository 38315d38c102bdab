"""`ModelVersions`: the versions of one model, each loaded, served and dropped in its time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from serving.engine.availability import Phase, next_action
from serving.engine.failure import failure
from serving.engine.loading import Loader
from serving.engine.look import Look, look
from serving.engine.record import Record
from serving.engine.settings import ServedModel, VersionPolicy
from serving.engine.version_status import VersionStatus
from serving.observer import Observer

_log = logging.getLogger(__name__)
_HISTORY = 32
"""Versions that have ended whose status is kept."""


@dataclass(frozen=True)
class Surroundings:
    """What the versions of every model share.

    Attributes:
        loader: Makes servables.
        threads: Where that is done.
        observer: Hears of changes.
        retries: Attempts to load a version after one that failed.
        retry_seconds: Between them.
        keep_last: Whether the last versions stay when the folder holds no version any more.
    """

    loader: Loader
    threads: Executor
    observer: Observer
    retries: int
    retry_seconds: float
    keep_last: bool


class ModelVersions:
    """The versions of one model; used on the event loop only.

    Args:
        model: Which versions, and where.
        surroundings: What it shares with other models.
    """

    def __init__(self, model: ServedModel, surroundings: Surroundings) -> None:
        self.model = model
        self._with = surroundings
        self._records: list[Record] = []
        self._ready: dict[int, Record] = {}
        self._ended: dict[int, VersionStatus] = {}
        self._looking = asyncio.Lock()
        self._loads: set[asyncio.Task[None]] = set()
        self._looks: set[asyncio.Task[None]] = set()
        self._drops: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._readable = True
        self._stopped = False

    async def settle(self) -> None:
        """Looks at the folder, and returns when every load that this caused has ended."""
        await self.refresh()
        while pending := self._loads | self._looks:
            await asyncio.wait(pending)
            if not (self._loads or self._looks):
                await self.refresh()  # what was loaded or failed may make others superfluous

    async def refresh(self) -> None:
        """Looks at the folder and begins what has to be done; does not wait for it."""
        async with self._looking:
            if self._stopped:
                return
            known = {(r.version, r.path): r.known() for r in self._lasting()}
            model = self.model
            seen = await asyncio.to_thread(look, model, known)
            if model is not self.model or self._stopped:
                return
            if (seen is not None) != self._readable:
                self._readable = seen is not None
                if seen is None:
                    _log.warning("model %s: %s cannot be read", model.name, model.base_path)
            if seen is None or (self._with.keep_last and not seen.wanted):
                return
            self._aspire(seen)

    def retire(self) -> None:
        """Serves nothing any more: every version is dropped when its requests are answered."""
        self.model = replace(self.model, policy=VersionPolicy.only(), labels={})
        self._aspire(Look({}, {}))

    async def stop(self) -> None:
        """Ends everything now; whoever is still being answered gets an error."""
        self._stopped = True
        if self._retry is not None:
            self._retry.cancel()
        if pending := self._loads | self._looks:
            await asyncio.wait(pending)
        for record in self._records:
            if record.phase is Phase.READY:
                self._drop(record)
            record.unused.set()
        if self._drops:
            await asyncio.wait(set(self._drops))

    def newest(self) -> Record | None:
        """The highest version that is available."""
        return self._ready[max(self._ready)] if self._ready else None

    def available(self, version: int) -> Record | None:
        """`version`, if it is available."""
        return self._ready.get(version)

    def statuses(self) -> list[VersionStatus]:
        """Of all versions, newest first; those that have ended too, as far as remembered."""
        found = dict(self._ended)
        # What is available says more than the same number in another folder.
        for record in sorted(self._records, key=lambda r: r.phase is Phase.READY):
            found[record.version] = record.status()
        return [found[version] for version in sorted(found, reverse=True)]

    def _lasting(self) -> list[Record]:
        """All but those on their way out: if one of these is wanted again, it is loaded again."""
        return [record for record in self._records if record.phase is not Phase.UNLOADING]

    def _aspire(self, seen: Look) -> None:
        there = {(r.version, r.path): r for r in self._lasting()}
        for version, path in seen.wanted.items():
            record = there.get((version, path))
            if record is None:
                record = Record(version, path)
                self._records.append(record)
                self._report(record)
            if version in seen.inspections and record.phase in (Phase.NEW, Phase.FAILED):
                before = record.missing
                record.inspected(seen.inspections[version])
                if record.missing not in (None, before):
                    _log.info("%s is not complete: %s", path, record.missing)
        for record in self._records:
            record.aspired = seen.wanted.get(record.version) == record.path
        self._forget(
            r for r in self._records if not r.aspired and r.phase in (Phase.NEW, Phase.FAILED)
        )
        self._advance()

    def _advance(self) -> None:
        """Begins all that the policy allows now."""
        now = asyncio.get_running_loop().time()
        while not self._stopped:
            action = next_action([record.snapshot(now) for record in self._records])
            if action is None:
                break
            record = self._records[action.index]
            if action.load:
                self._begin(self._loads, self._load(record))
                self._turn(record, Phase.LOADING)
            else:
                self._drop(record)
        self._set_retry(now)

    def _begin(self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _load(self, record: Record) -> None:
        loop, name = asyncio.get_running_loop(), self.model.name
        record.tried = record.inspection
        start = loop.time()
        try:
            servable = await loop.run_in_executor(
                self._with.threads, self._with.loader, name, record.version, record.path
            )
        except Exception as error:
            known = failure(error, hide=[record.path.parent, record.path])
            record.failed(
                known, retries=self._with.retries, due=loop.time() + self._with.retry_seconds
            )
            _log.warning("model %s version %s: %s", name, record.version, known, exc_info=error)
            self._turn(record, Phase.FAILED)
            # An older version may have to take its place.
            self._begin(self._looks, self.refresh())
        else:
            record.servable = servable
            seconds = loop.time() - start
            _log.info("model %s version %s: loaded in %.1f s", name, record.version, seconds)
            self._turn(record, Phase.READY, seconds)
        self._advance()

    def _drop(self, record: Record) -> None:
        self._turn(record, Phase.UNLOADING)
        self._begin(self._drops, self._unload(record))

    async def _unload(self, record: Record) -> None:
        await record.unused.wait()
        servable = record.servable
        if servable is not None:
            await asyncio.to_thread(servable.close)
        record.servable = None
        _log.info("model %s version %s: dropped", self.model.name, record.version)
        self._turn(record, Phase.ENDED)
        self._forget([record])

    def _turn(self, record: Record, phase: Phase, seconds: float | None = None) -> None:
        record.phase = phase
        ready = [r for r in self._records if r.phase is Phase.READY]
        self._ready = {r.version: r for r in sorted(ready, key=lambda r: r.aspired)}
        self._report(record, seconds)

    def _report(self, record: Record, seconds: float | None = None) -> None:
        self._with.observer.version(
            model=self.model.name,
            version=record.version,
            state=record.status().state.name,
            seconds=seconds,
        )

    def _forget(self, records: Iterable[Record]) -> None:
        for record in list(records):
            self._records.remove(record)
            if record.phase is Phase.NEW:  # it never came to anything
                self._turn(record, Phase.ENDED)
                continue
            self._ended.pop(record.version, None)
            self._ended[record.version] = record.status()
        while len(self._ended) > _HISTORY:
            del self._ended[next(iter(self._ended))]

    def _set_retry(self, now: float) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        due = [r.due for r in self._records if r.phase is Phase.FAILED and r.aspired]
        earliest = min((d for d in due if d > now), default=None)
        if earliest is not None and earliest != float("inf") and not self._stopped:
            self._retry = asyncio.get_running_loop().call_at(earliest, self._advance)
