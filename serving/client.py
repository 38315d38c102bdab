"""`ForecastClient`: raw history in, forecasts out, from a server or a folder of versions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from models.errors import BadInputError
from serving.history.current import Current
from serving.history.described import Described
from serving.history.pinned import PinnedModel, forecast
from serving.runtimes.runtime import EngineName
from serving.transport.connect import connect
from serving.transport.endpoint import Tls
from serving.transport.retry import Budget, Retry
from serving.transport.server import Server
from serving.transport.transport import ModelVersion, Wanted

if TYPE_CHECKING:
    import pandas as pd

    from serving.streaming.session import StreamSession
    from serving.streaming.state import StreamState

__all__ = ["Described", "ForecastClient", "ModelVersion", "PinnedModel", "Tls"]

BATCH = 256
"""Windows in one request, unless told otherwise."""


class ForecastClient:
    """A model on a server. The model describes itself: a client needs its name and nothing else.

    A window is built from what a version says about itself and is sent to that very version, so
    a model that is replaced between the two never gets a window that was made for another. Which
    version serves is asked at most once in `refresh` seconds; when that version goes away
    meanwhile, the window is built anew for the one that serves then.

    Requests are sent again while the server is away or its queue is full, with exponential backoff
    and full jitter, until `timeout` is over or they were sent again `retries` times. A client may
    be used by several threads.

    Args:
        endpoint: `http(s)://host:port` for REST, `grpc(s)://host:port` for gRPC, or
            `file:///folder` for the folder that models are pushed into: they are then loaded and
            run in this process, and nothing is sent anywhere.
        model: Name of the model.
        version: Only ever use this version.
        label: Only ever use the version that has this label on the server.
        token: Bearer token, if the server wants one.
        tls: Certificates, with https or grpcs.
        timeout: Seconds that one call of a method may take, with all that it sends.
        retries: How often a request is sent again at most.
        batch_size: Windows in one request.
        refresh: Seconds for which the version that serves is taken to be the same; 0 asks each
            time.
        engine: What runs the signatures that it can, with `file:`: `tensorflow`, `onnx` (windows)
            or `litert` (steps of streams); needs elman's extra of its name.

    Raises:
        BadInputError: If the arguments cannot be used.
    """

    def __init__(
        self,
        endpoint: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        token: str | None = None,
        tls: Tls | None = None,
        timeout: float = 30.0,
        retries: int = 8,
        batch_size: int = BATCH,
        refresh: float = 1.0,
        engine: EngineName = "tensorflow",
    ) -> None:
        _check(model, version, label, timeout, retries, batch_size, refresh)
        self.model = model
        self._wanted = Wanted(model, version, label)
        self._timeout, self._batch_size = timeout, batch_size
        self._server = Server(connect(endpoint, token, tls, engine), Retry(retries), endpoint)
        self._current = Current(self._server, self._wanted, refresh)

    def forecast(
        self, frame: pd.DataFrame, *, origin: Any = None, timeout: float | None = None
    ) -> pd.DataFrame:
        """Forecasts of every series in `frame`.

        Args:
            frame: Raw history in long form, a row for each series and time, in natural units: the
                columns of time and series that the model was trained with, targets, past, future
                and static covariates. Missing steps are left out or nan; holes of up to `gaps.max`
                steps are filled as in training. Future covariates come as rows after the last
                target, with nan as targets. The model needs `lookback` steps.
            origin: Time of the last step that the forecast may know; by default, of each series,
                the last step that has a target. Past columns after it are not used.
            timeout: Seconds, instead of the client's own.

        Returns:
            A row for each series and step: the series' id (if the data has a column of ids),
            `origin`, the time that is forecast, `step` from 1 to the horizon, and the targets.

        Raises:
            BadInputError: If the frame cannot be used (what is missing, and of which series), or
                the server refuses the request or has no such model.
            FailedRunError: If the server cannot be reached or fails.
        """
        from serving.history.windows import Asked

        budget = Budget(self._timeout if timeout is None else timeout)

        def ask(described: Described) -> pd.DataFrame:
            if described.recipe.carries_state:
                warnings.warn(
                    f"{described.called} was trained with truncated BPTT and scored on series "
                    "read from their start; a forecast from one window may be worse. Feed the "
                    "history to client.stream() for what was scored",
                    stacklevel=4,  # of the caller of this method
                )
            asked = Asked.of(frame, described.recipe, origin, self._batch_size)
            return asked.answer(
                [forecast(self._server, described, b.feed, budget) for b in asked.batches]
            )

        with self._server.explained(self._wanted):
            return self._current.consistently(ask, budget)

    def versions(self) -> list[ModelVersion]:
        """All versions of the model that the server knows of, newest first, with their states.

        Raises:
            BadInputError: If the server has no such model, or refuses.
            FailedRunError: If the server cannot be reached or fails.
        """
        with self._server.explained(self._wanted):
            return self._server.versions(self.model, Budget(self._timeout))

    def metadata(self) -> dict[str, Any]:
        """What the version that serves says about itself: `elman.json`, but for the run.

        Raises:
            BadInputError: If there is no such model or version, or it is none of Elman's.
            FailedRunError: If the server cannot be reached or fails.
        """
        return self.describe().metadata

    def describe(self) -> Described:
        """The version that serves, and its metadata; raises as `metadata` does."""
        with self._server.explained(self._wanted):
            return self._current.consistently(lambda found: found, Budget(self._timeout))

    def pinned(self) -> PinnedModel:
        """The version that serves now, for many calls; raises as `metadata` does."""
        return PinnedModel(self._server, self.describe(), self._timeout)

    def stream(
        self,
        series: Sequence[str] | StreamState | bytes | None = None,
        *,
        static: pd.DataFrame | Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> StreamSession:
        """A session that feeds series step by step and carries the model's state.

        The session stays with the version that serves now (or that its state belongs to): no
        version can go on with the state of another.

        Args:
            series: Ids of the series, if the model's data has a column of ids; or the state of
                an earlier session, as it was or as bytes, to go on with.
            static: Static covariates, if the model has some: a frame with a row for each series,
                or by column one value, or one for each series.
            timeout: Seconds, instead of the client's own.

        Raises:
            BadInputError: If the model cannot be streamed, or the version of the state is gone.
            FailedRunError: If the server cannot be reached or fails.
        """
        from serving.streaming.begin import caller, check_state, new_state, state_owner
        from serving.streaming.session import StreamSession
        from serving.streaming.state import StreamState

        budget = Budget(self._timeout if timeout is None else timeout)
        kept = StreamState.from_bytes(series) if isinstance(series, bytes) else series
        if isinstance(kept, StreamState):
            if kept.model != self.model:
                raise BadInputError(
                    f"the state is of model {kept.model!r}, this client is of {self.model!r}"
                )
            with state_owner(self._server, kept.model, kept.version):
                # Asked again: a replica may have been put in the place of another.
                described = self._current.describe(kept.version, budget, anew=True)
            check_state(described, kept)
            state = kept
        else:
            with self._server.explained(self._wanted):
                described = self._current.consistently(lambda found: found, budget)
            state = new_state(described, kept, static, caller(self._server, described), budget)
        return StreamSession(
            described, state, caller(self._server, described), self._batch_size, self._timeout
        )

    def close(self) -> None:
        """Closes connections."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _check(
    model: str,
    version: int | None,
    label: str | None,
    timeout: float,
    retries: int,
    batch_size: int,
    refresh: float,
) -> None:
    if version is not None and label is not None:
        raise BadInputError("give a version or a label, not both")
    if not model:
        raise BadInputError("give the name of the model")
    if version is not None and version < 0:
        raise BadInputError(f"a version is a number from 0 on, got {version}")
    for name, good, value, wanted in (
        ("timeout", timeout > 0, timeout, "above 0 seconds"),
        ("retries", retries >= 0, retries, "0 or more"),
        ("batch_size", batch_size > 0, batch_size, "1 or more"),
        ("refresh", refresh >= 0, refresh, "0 seconds or more"),
    ):
        if not good:
            raise BadInputError(f"{name}: expected {wanted}, got {value}")
