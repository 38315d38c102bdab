"""The beginning of a streaming session: a fresh state, or one that was kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import BadInputError
from models.history.stream import Trace
from serving.history.described import Described
from serving.history.frame import ONE, static_columns
from serving.status import Code, ServingError
from serving.streaming.session import INIT, Call
from serving.streaming.state import StreamState
from serving.transport.retry import Budget
from serving.transport.server import Server
from serving.transport.transport import Arrays, Wanted

Static = pd.DataFrame | Mapping[str, Any]
_MOST_ROWS = 4096


def state_shapes(described: Described) -> dict[str, tuple[int, ...]]:
    """By state tensor, its shape without the batch axis.

    Raises:
        BadInputError: If the model cannot be read step by step.
    """
    metadata = described.metadata
    streaming = metadata.get("streaming")
    if streaming is None:
        why = metadata.get("streaming_refusal") or (
            "it was exported by a version of Elman that had no streaming; train and push it again"
        )
        raise BadInputError(f"{described.called} cannot be streamed: {why}")
    return {name: tuple(shape) for name, shape in streaming["state"].items()}


def new_state(
    described: Described,
    series: Sequence[str] | None,
    static: Static | None,
    call: Call,
    budget: Budget,
) -> StreamState:
    """The state before the first step.

    Args:
        described: The version.
        series: Ids; None where the model's data has no column of ids.
        static: The static covariates: a frame with a row for each series, or by column a value for
            all series or a sequence of one for each.
        call: Calls the version.
        budget: The time that it may take.

    Raises:
        BadInputError: If the model cannot be streamed, ids are missing or there twice, or static
            covariates are missing.
    """
    shapes = state_shapes(described)
    names = _names(described, series)
    values = _static(described, names, static)
    parts: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in shapes}
    for start in range(0, len(names), _MOST_ROWS):
        rows = min(_MOST_ROWS, len(names) - start)
        answer = call(INIT, {"batch": np.zeros(rows, np.int32)}, list(shapes), budget)
        for name, shape in shapes.items():
            parts[name].append(np.asarray(answer[name], np.float32).reshape(rows, *shape))
    tensors = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    traces = [Trace.new(described.recipe)] * len(names)
    return StreamState.of(
        described.model, described.version, described.digest, names, values, tensors, traces
    )


def check_state(described: Described, state: StreamState) -> None:
    """Checks that a kept state belongs to a version.

    Raises:
        BadInputError: If it does not.
    """
    shapes = state_shapes(described)
    fits = {name: array.shape[1:] for name, array in state.tensors.items()} == shapes
    if state.model != described.model or state.digest != described.digest or not fits:
        raise BadInputError(
            f"the state belongs to version {state.version} of model {state.model!r} as it was on "
            f"another server or before: {described.called} is another model here. Begin a new "
            "session and feed it the history"
        )


def caller(server: Server, described: Described) -> Call:
    """Calls signatures of the version that owns a session's state.

    What it returns raises BadInputError if the server refuses or the version is gone, and
    FailedRunError if the server cannot be reached or fails.
    """
    wanted = Wanted(described.model, described.version)

    def call(
        signature: str, inputs: Arrays, outputs: Sequence[str], budget: Budget
    ) -> dict[str, npt.NDArray[Any]]:
        with state_owner(server, described.model, described.version):
            return server.predict(wanted, signature, inputs, outputs, budget)

    return call


@contextmanager
def state_owner(server: Server, model: str, version: int) -> Iterator[None]:
    """Explains errors of requests to the one version that can go on with a state.

    Raises:
        BadInputError: If the server refuses or the version is gone.
        FailedRunError: If the server cannot be reached or fails.
    """
    with server.explained(Wanted(model, version)):
        try:
            yield
        except ServingError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            raise ServingError(
                error.code,
                f"version {version} of model {model!r}, to which the state of this session "
                "belongs, is gone, and no other version can go on with it: begin a new session "
                f"and feed it the history ({error.message})",
            ) from error


def _names(described: Described, series: Sequence[str] | None) -> tuple[str, ...]:
    column = described.recipe.data.series
    if column is None:
        if series is not None and tuple(series) != (ONE,):
            raise BadInputError(
                f"{described.called} knows one series only, without an id: leave series out"
            )
        return (ONE,)
    if series is None or isinstance(series, str) or not len(series):
        raise BadInputError(
            f"give the ids of the series to stream (column {column!r}) as a list: series=[...]"
        )
    names = tuple(str(s) for s in series)
    if len(set(names)) < len(names):
        twice = next(s for s in names if names.count(s) > 1)
        raise BadInputError(f"series {twice!r} is there twice")
    return names


def _static(
    described: Described, names: tuple[str, ...], static: Static | None
) -> dict[str, npt.NDArray[Any]]:
    recipe = described.recipe
    wanted = recipe.roles.covariates.static
    if not wanted:
        return {}
    if static is None:
        raise BadInputError(
            f"{described.called} needs the static covariates {', '.join(wanted)}: static={{...}}"
        )
    if isinstance(static, pd.DataFrame):
        frame = static
    else:
        columns = {c: v for c, v in static.items() if c in wanted}
        column = recipe.data.series
        if column is not None:
            columns[column] = list(names)
        try:
            frame = pd.DataFrame(columns, index=range(len(names)))
        except ValueError:
            raise BadInputError(
                f"static: expected one value, or {len(names)}, one for each series"
            ) from None
    found = static_columns(frame, recipe, names)
    return {
        name: np.asarray(values, object if name in recipe.text else np.float32)
        for name, values in found.items()
    }
