"""Forecasts of an exported model that reads series from their start, with its state carried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.export.feed import Feed, view_feed
from models.export.portable import exact_float32
from models.network.inputs import TIME
from models.roles import Roles
from models.windows.spec import WindowSpec
from models.windows.streams import Chunks, Streams
from models.windows.view import WindowView

MOST_VALUES = 1 << 24
"""Values, of inputs and forecasts, that one call into the graph may hold."""
MOST_STEPS = 512
"""Steps in one call: more gain nothing."""


class StreamedForecaster:
    """Feeds segments to `stream_step` from their first step, many of them side by side.

    The loop over the steps is in a graph, around the signature as it was loaded: what is scored
    is what a server computes.

    Args:
        signatures: Of the loaded SavedModel.
        metadata: Its `elman.json`; `streaming` is not null.
    """

    def __init__(self, signatures: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        self._metadata = metadata
        self._spec = WindowSpec.model_validate(metadata["spec"])
        self._roles = Roles.model_validate(metadata["roles"])
        self._state = tuple(metadata["streaming"]["state"])
        self._init, self._step = signatures["stream_init"], signatures["stream_step"]
        self._run = tf.function(self._steps, autograph=False)

    def predict(
        self, view: WindowView, targets: tuple[str, ...], lanes: int
    ) -> npt.NDArray[np.float32]:
        """Forecasts at the origins of `view`, each after all steps of its segment up to there.

        Args:
            view: Of a store with the columns of the model.
            targets: Order of the last axis.
            lanes: Most segments side by side; the result does not depend on it.

        Returns:
            float32 [origins, horizon, targets].
        """
        result = np.empty((len(view), self._spec.horizon, len(targets)), np.float32)
        if not len(view):
            return result
        rows, where = np.unique(view.origins, return_inverse=True)
        streams = Streams.to(view.store, rows)
        lanes = min(lanes, len(streams))
        length = self._length(lanes)
        chunks = Chunks.of(streams, lanes, length)
        found = np.empty((len(rows), *result.shape[1:]), np.float32)
        state = dict(self._init(batch=tf.constant(lanes)))
        for first, count, fresh in zip(chunks.first, chunks.count, chunks.fresh, strict=True):
            steps = np.arange(length)[:, None]
            read = first + np.minimum(steps, np.maximum(count - 1, 0))  # [length, lanes]
            forecasts, state = self._read(view, read, fresh, state)
            position = np.minimum(np.searchsorted(rows, read), len(rows) - 1)
            wanted = (steps < count) & (rows[position] == read)
            for index, target in enumerate(targets):
                values = forecasts[self._metadata["outputs"][target]].numpy()
                found[position[wanted], :, index] = values[wanted]
        return found[where]

    def _length(self, lanes: int) -> int:
        """Steps of a chunk."""
        c, spec = self._roles.covariates, self._spec
        per_step = (
            len(self._roles.targets) * (spec.horizon + 1)
            + len(c.past)
            + len(c.future) * (1 + spec.reach)
            + len(c.static)
            + 1
        )
        return int(np.clip(MOST_VALUES // (per_step * lanes), 1, MOST_STEPS))

    def _read(
        self,
        view: WindowView,
        rows: npt.NDArray[np.int64],
        fresh: npt.NDArray[np.bool_],
        state: dict[str, tf.Tensor],
    ) -> Any:
        step = self._spec.model_copy(update={"lookback": 1})
        flat = WindowView(view.store, rows.reshape(-1))
        feed = view_feed(flat, step, self._roles, tuple(self._metadata["text"]))
        with exact_float32():
            return self._run(self._columns(feed, rows.shape), state, tf.constant(fresh))

    def _columns(self, feed: Feed, shape: tuple[int, ...]) -> dict[str, tf.Tensor]:
        """By input tensor, [steps, lanes, ...] as `stream_step` takes each step."""
        c, columns = self._roles.covariates, {}
        for column, name in self._metadata["inputs"].items():
            value = feed[column]
            alone = column not in c.future and column not in c.static and column != TIME
            value = value[:, 0] if alone else value
            value = value.reshape((*shape, *value.shape[1:]))
            columns[name] = tf.constant(value, self._metadata["input_types"][column])
        return columns

    def _steps(
        self, columns: dict[str, tf.Tensor], state: dict[str, tf.Tensor], fresh: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        names = tuple(self._metadata["outputs"].values())
        steps = next(iter(columns.values())).shape[0]
        begun = {}
        for name, value in state.items():
            begins = tf.reshape(fresh, (-1,) + (1,) * (len(value.shape) - 1))
            begun[name] = tf.where(begins, tf.zeros_like(value), value)
        arrays = {name: tf.TensorArray(tf.float32, size=steps) for name in names}

        def body(t: tf.Tensor, now: Any, written: Any) -> Any:
            out = self._step(**{name: value[t] for name, value in columns.items()}, **now)
            after = {name: tf.ensure_shape(out[name], now[name].shape) for name in self._state}
            return t + 1, after, {name: written[name].write(t, out[name]) for name in names}

        _, after, written = tf.while_loop(
            lambda t, *_: t < steps, body, (tf.constant(0), begun, arrays)
        )
        return {name: array.stack() for name, array in written.items()}, after
