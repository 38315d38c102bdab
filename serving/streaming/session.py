"""`StreamSession`: one step in, a forecast out; the state stays with the client."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import BadInputError
from models.history.stream import Step, Trace, steps_of
from serving.history.described import Described
from serving.history.frame import HistoryFrame
from serving.history.pinned import most_rows
from serving.history.windows import table
from serving.streaming.rows import row_frame
from serving.streaming.state import StreamState
from serving.transport.retry import Budget
from serving.transport.transport import Arrays

INIT, STEP = "stream_init", "stream_step"
Call = Callable[[str, Arrays, Sequence[str], Budget], dict[str, npt.NDArray[Any]]]
"""Calls a signature of the session's version: its name, inputs by tensor, outputs, and the time."""


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of some series at some of their steps."""

    series: list[str]
    time: list[int]
    values: list[npt.NDArray[np.float32]]


class StreamSession:
    """Series that are fed to a model step by step, with the state carried from step to step.

    Make one with `ForecastClient.stream`. The server keeps nothing: any replica that has the
    version may answer the next step. A step that fails leaves the session as it was before.

    Args:
        described: The version that the state belongs to.
        state: The state to go on with.
        call: Calls the version.
        batch_size: Series in one request.
        timeout: Seconds that a step may take, unless told otherwise.
    """

    def __init__(
        self,
        described: Described,
        state: StreamState,
        call: Call,
        batch_size: int,
        timeout: float,
    ) -> None:
        self._described, self._state, self._call = described, state, call
        values = sum(math.prod(array.shape[1:]) for array in state.tensors.values())
        self._batch_size = min(batch_size, most_rows(values))
        self._timeout = timeout
        self._recipe = described.recipe
        self._row = {series: i for i, series in enumerate(state.series)}
        self._open = True

    @property
    def described(self) -> Described:
        """The version, and what it says about itself."""
        return self._described

    @property
    def state(self) -> StreamState:
        """The state now; what happens later does not change it."""
        return self._state

    def step(
        self,
        rows: pd.DataFrame | Mapping[str, Any] | pd.Series[Any],
        *,
        timeout: float | None = None,
    ) -> pd.DataFrame:
        """Feeds the next step of some or all series.

        Args:
            rows: A row for each series that has a new step, as in `ForecastClient.forecast`; or
                one row as a mapping or a pandas Series. Future covariates come as rows after it
                (or as a sequence in a mapping), those that were not given before. Where a step is
                left out, or a value is nan, it is filled with the last one, up to `gaps.max`
                steps.
            timeout: Seconds, instead of the client's own.

        Returns:
            The forecasts from these steps, as `ForecastClient.forecast` returns them.

        Raises:
            BadInputError: If a step does not follow the last one, or cannot be used; or the
                server no longer has the version.
            FailedRunError: If the server cannot be reached or fails.
        """
        frame = rows if isinstance(rows, pd.DataFrame) else row_frame(rows, self._recipe)
        return self._feed(frame, every=False, single=True, timeout=timeout)

    def feed(
        self, history: pd.DataFrame, *, every: bool = False, timeout: float | None = None
    ) -> pd.DataFrame:
        """Feeds many steps of some or all series.

        Args:
            history: Rows as in `ForecastClient.forecast`, after those fed before. The last row
                with a target is a series' last step.
            every: Whether forecasts from every step are returned, not only from the last ones.
            timeout: Seconds for all steps, instead of the client's own.

        Returns:
            The forecasts, ordered by series, origin and step.

        Raises:
            BadInputError: As `step`.
            FailedRunError: As `step`.
        """
        return self._feed(history, every=every, single=False, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = False

    def _feed(
        self, frame: pd.DataFrame, *, every: bool, single: bool, timeout: float | None
    ) -> pd.DataFrame:
        if not self._open:
            raise BadInputError("the session has ended; take it up again with client.stream(state)")
        history = HistoryFrame.of(frame, self._recipe, static=False)
        fed = self._steps(history, single=single)
        budget = Budget(self._timeout if timeout is None else timeout)
        state, forecasts = self._run(fed, every, budget)
        self._state = state
        order = sorted(range(len(forecasts.series)), key=lambda i: forecasts.series[i])
        return table(
            self._recipe,
            history.clock,
            [forecasts.series[i] for i in order],
            np.asarray([forecasts.time[i] for i in order], np.int64),
            np.stack([forecasts.values[i] for i in order]),
        )

    def _steps(self, history: HistoryFrame, *, single: bool) -> dict[int, list[Step]]:
        """By row of the state, the steps to feed."""
        fed: dict[int, list[Step]] = {}
        unknown = [s for s in history.series if s not in self._row]
        if unknown:
            raise BadInputError(
                f"the session has no series {unknown[0]!r}; it has "
                f"{', '.join(map(repr, self._state.series[:10]))}"
                f"{' and more' if len(self._state.series) > 10 else ''}"
            )
        for series, time, values, _ in history.rows():
            row = self._row[series]
            steps = steps_of(self._recipe, series, self._state.trace(row), time, values)
            targets = ~np.isnan(values[:, : len(self._recipe.roles.targets)]).all(axis=1)
            if single and int(targets.sum()) > 1:
                raise BadInputError(
                    f"series {series!r} has {int(targets.sum())} rows with targets; step takes one "
                    "for each series, feed takes many"
                )
            fed[row] = steps
        return fed

    def _run(
        self, fed: dict[int, list[Step]], every: bool, budget: Budget
    ) -> tuple[StreamState, Forecasts]:
        """Feeds steps, the first ones of all series together, then the second ones, and so on."""
        state = self._state
        tensors = {name: array.copy() for name, array in state.tensors.items()}
        traces: list[Trace] = [state.trace(i) for i in range(len(state.series))]
        found = Forecasts([], [], [])
        for number in range(max(map(len, fed.values()))):
            rows = [row for row, steps in fed.items() if number < len(steps)]
            for start in range(0, len(rows), self._batch_size):
                part = rows[start : start + self._batch_size]
                steps = [fed[row][number] for row in part]
                forecast = self._send(part, steps, tensors, budget)
                for row, step, values in zip(part, steps, forecast, strict=True):
                    traces[row] = step.after
                    if every or number == len(fed[row]) - 1:
                        found.series.append(state.series[row])
                        found.time.append(step.time)
                        found.values.append(values)
        after = StreamState.of(
            state.model,
            state.version,
            state.digest,
            state.series,
            state.static,
            tensors,
            traces,
        )
        return after, found

    def _send(
        self,
        rows: list[int],
        steps: list[Step],
        tensors: dict[str, npt.NDArray[np.float32]],
        budget: Budget,
    ) -> npt.NDArray[np.float32]:
        """One request; changes `tensors`. Returns float32 `[rows, horizon, targets]`."""
        columns: dict[str, npt.NDArray[Any]] = {
            name: np.asarray([step.inputs[name] for step in steps]) for name in steps[0].inputs
        }
        columns |= {name: values[rows] for name, values in self._state.static.items()}
        inputs = self._described.tensors(columns)
        inputs |= {name: array[rows] for name, array in tensors.items()}
        outputs = self._described.outputs
        answer = self._call(STEP, inputs, [*outputs, *tensors], budget)
        for name, array in tensors.items():
            array[rows] = np.asarray(answer[name], np.float32).reshape(len(rows), *array.shape[1:])
        return np.stack([np.asarray(answer[name], np.float32) for name in outputs], axis=-1)
