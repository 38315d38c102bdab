"""`Current`: the version that a client talks to, and what that version says about itself."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from serving.history.described import INPUT, OUTPUT, SIGNATURE, Described
from serving.status import Code, ServingError
from serving.transport.retry import Budget
from serving.transport.server import Server
from serving.transport.transport import Wanted

Result = TypeVar("Result")
RESTARTS = 5
"""Times that a call begins anew because its version went away."""
_REMEMBERED = 8
# gRPC and REST differ here, in TF Serving too.
_NO_SIGNATURE = (Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION)


class Current:
    """Follows the version that serves; may be used by several threads.

    Args:
        server: The server.
        wanted: A version, a label, or the newest version of a model.
        refresh: Seconds for which the answer is taken to hold; 0 asks each time.
        clock: Seconds from any fixed moment.
    """

    def __init__(
        self,
        server: Server,
        wanted: Wanted,
        refresh: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server, self._wanted, self._refresh, self._clock = server, wanted, refresh, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[int, Described] = OrderedDict()
        self._version: tuple[int, float] | None = None  # and when it was asked for

    def consistently(self, ask: Callable[[Described], Result], budget: Budget) -> Result:
        """What `ask` returns for the version that serves, which all its requests must name.

        Should that version go away meanwhile, `ask` is called again with the one that serves then.

        Raises:
            ServingError: NOT_FOUND if there is no such model or version, and whatever `ask` raises.
        """
        for restart in range(RESTARTS + 1):
            version = self._serving(budget)
            try:
                return ask(self.describe(version, budget))
            except ServingError as error:
                gone = error.code is Code.NOT_FOUND and self._wanted.version is None
                if not gone or restart == RESTARTS:
                    raise
                with self._lock:
                    self._version = None
        raise AssertionError("the loop returns or raises")

    def describe(self, version: int, budget: Budget, *, anew: bool = False) -> Described:
        """What a version says about itself; asked once for each version, unless `anew`.

        Raises:
            ServingError: NOT_FOUND if there is no such version; INVALID_ARGUMENT or
                FAILED_PRECONDITION if it has no signature to describe itself.
        """
        with self._lock:
            known = self._known.get(version)
        if known is not None and not anew:
            return known
        model = self._wanted.model
        try:
            answer = self._server.predict(
                Wanted(model, version), SIGNATURE, {INPUT: np.zeros(1, np.int32)}, [OUTPUT], budget
            )
        except ServingError as error:
            if error.code not in _NO_SIGNATURE:
                raise
            raise ServingError(
                error.code,
                f"version {version} of model {model!r} does not describe itself, so it is no "
                f"forecaster that this version of Elman exported ({error.message})",
            ) from error
        text = np.asarray(answer[OUTPUT]).reshape(-1)[0]
        found = Described(model, version, text.decode() if isinstance(text, bytes) else str(text))
        with self._lock:
            self._known[version] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _serving(self, budget: Budget) -> int:
        if self._wanted.version is not None:
            return self._wanted.version
        now = self._clock()
        with self._lock:
            if self._version is not None and now - self._version[1] < self._refresh:
                return self._version[0]
        version = self._server.serving(self._wanted, budget)
        with self._lock:
            self._version = version, now
        return version
