"""`Delivery`: brings what a run says to its store, at once or, if the store is away, later."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from components.tracking.operation import ID, Operation, perform
from components.tracking.outage import StoreAwayError
from components.tracking.outbox import Outbox, kept
from components.tracking.store import UPLOAD, TrackingStore
from models.errors import FailedRunError

LOCAL = "local-"
"""How ids of runs begin that the store does not know yet."""
SHORTEST_PAUSE = 5.0
"""Seconds between two attempts to reach a store that is away, at least."""
SHARE = 9.0
"""Pause by what the attempt cost: a dead store takes a tenth of the run's time, at most."""
MID_RUN_SECONDS = 15.0
"""What is sent at a time while a component waits; the rest follows."""


class Delivery:
    """Writes to one store, in order. While the store is away, everything goes into the outbox.

    Attributes:
        store: The store.
        outbox: What waits for it.
    """

    def __init__(
        self,
        store: TrackingStore,
        say: Callable[[str], None] = lambda _: None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Asks nothing of the store yet.

        Args:
            store: From `open_store`.
            say: Told, once each time, that the store is away and that it is back.
            clock: Seconds.
        """
        self.store = store
        self.outbox = Outbox(store.folder)
        self._say = say
        self._clock = clock
        self._real = self.outbox.runs()
        self._lock = threading.RLock()
        self._refused = 0
        self._down = bool(store.away)
        self._again = 0.0
        if self._down:
            self._again = clock() + SHORTEST_PAUSE
            self._said_away(store.away)

    def resolve(self, run: str) -> str:
        """The store's id of `run`, if it has one by now."""
        return self._real.get(run, run)

    def create(self, operation: Operation) -> str:
        """Starts a run.

        Args:
            operation: Of the kind `create`; its run is of no account.

        Returns:
            The store's id of the run, or one that `resolve` will know when the store is back.

        Raises:
            FailedRunError: If the store refuses, or what it cannot take now cannot be kept.
        """
        local = LOCAL + uuid.uuid4().hex
        body = {**operation.body, "tags": {**operation.body["tags"], ID: local}}
        made = Operation("create", local, operation.what, body)
        with self._lock:
            return self._deliver(made) or local

    def send(self, operation: Operation) -> None:
        """Writes into a run.

        Raises:
            FailedRunError: If the store refuses, or what it cannot take now cannot be kept.
        """
        with self._lock:
            self._deliver(operation)

    def flush(self, *, limit: float | None = None) -> bool:
        """Sends what waits, now, however short ago the store did not answer.

        Args:
            limit: Seconds after which the rest is left for another time.

        Returns:
            Whether nothing waits any more.
        """
        with self._lock:
            self._again = 0.0
            return self._flush(limit)

    def _deliver(self, operation: Operation) -> str | None:
        if self._clear():
            since = self._clock()
            try:
                with self.store.asked(operation.what, patience=_patience(operation)):
                    return perform(self.store.client, operation, self.resolve)
            except StoreAwayError as error:
                self._went(error, since)
        self.outbox.add(kept(operation, operation.run))
        return None

    def _clear(self) -> bool:
        """Whether the store may be asked: it is there and nothing older waits."""
        if not self._down and not len(self.outbox):
            return True
        return self._clock() >= self._again and self._flush(MID_RUN_SECONDS)

    def _flush(self, limit: float | None) -> bool:
        if not len(self.outbox):
            return not self._down or self._reach()
        if self._down and not self._reach():
            return False
        since, number = self._clock(), 0
        for path, operation in self.outbox.waiting():
            if limit is not None and self._clock() - since > limit:
                break
            if operation is None:
                self._put_aside(path, f"{path.name} cannot be read")
                continue
            begun = self._clock()
            try:
                with self.store.asked(operation.what, patience=_patience(operation)):
                    real = perform(self.store.client, operation, self.resolve)
            except StoreAwayError as error:
                self._went(error, begun)
                return False
            except FailedRunError as error:
                self._put_aside(path, str(error))
                continue
            if operation.kind == "create":
                self._real[operation.run] = real
                with suppress(OSError):  # only the next process would have to search for it
                    self.outbox.remember(self._real)
            self.outbox.sent(path)
            number += 1
        if number:
            self._say(
                f"the tracking store {self.store.shown} was sent {number} entries that "
                "were kept while it was away"
            )
        return not len(self.outbox)

    def _reach(self) -> bool:
        begun = self._clock()
        try:
            with self.store.asked("reach it"):
                self.store.client.search_experiments(max_results=1)
        except StoreAwayError as error:
            self._went(error, begun)
            return False
        self._down = False
        return True

    def _went(self, error: StoreAwayError, since: float) -> None:
        now = self._clock()
        self._again = now + max(SHORTEST_PAUSE, SHARE * (now - since))
        if not self._down:
            self._down = True
            self._said_away(error.reason)

    def _said_away(self, words: str) -> None:
        self._say(
            f"the tracking store {self.store.shown} is away: {words}. The run goes on; "
            f"what it records is kept in {self.outbox.folder} and sent when the store is back"
        )

    def _put_aside(self, path: Path, words: str) -> None:
        self.outbox.refused(path, words)
        self._refused += 1
        if self._refused == 1:
            self._say(
                f"the tracking store refused something that was kept for it: {words}; it is in "
                f"{self.outbox.folder / 'refused'} now and will not be sent"
            )


def _patience(operation: Operation) -> dict[str, str] | None:
    return UPLOAD if operation.kind == "artifact" else None
