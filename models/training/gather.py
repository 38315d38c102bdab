"""`WindowGather`: batches of windows as tensors, gathered from series held once."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.roles import OBSERVED
from models.windows.hold import age
from models.windows.store import SeriesStore
from models.windows.view import WindowView

TIME = "time"
"""Input of the origin's Unix seconds, where calendar features are used."""


class WindowGather:
    """Turns forecast origins into `(inputs, labels)`, as `WindowView.gather` does in NumPy.

    Make it in eager mode: what it holds are eager tensors, which functions capture and do not
    copy into their graphs, whose size is limited to 2 GB.

    Args:
        view: The windows that will be asked for.
    """

    def __init__(self, view: WindowView) -> None:
        store, roles = view.store, view.store.roles
        self._spec, self._roles = store.spec, roles
        width = len(roles.dynamic) - len(roles.covariates.future)
        self._past_columns = roles.dynamic[:width]
        # int32 halves the index tensors; rows that need int64 are 8 GiB of values at least.
        self._index = tf.int32 if len(store.values) < 2**31 else tf.int64
        self._past = _Columns(store, view.origins, slice(0, width))
        self._future = None
        if roles.covariates.future:
            ends = view.origins + store.spec.reach
            self._future = _Columns(store, ends, slice(width, None))
        # Masks cost memory and time: they are held only where something was filled.
        targets = store.observed[:, : len(roles.targets)]
        filled = not targets.all()
        self._filled = filled
        # Where ages are held, they say what was observed, too.
        self._known = tensor(targets) if filled and self._past.ages is None else None
        self._observed = None
        if filled and OBSERVED in roles.covariates.past:
            self._observed = tf.constant(np.logical_and.reduce(targets, axis=1))
        release(store.observed)
        self._time = tensor(store.time) if roles.covariates.calendar else None
        self._static = {name: _by_series(store, name) for name in roles.covariates.static}
        self._segment_rows = tf.constant(np.array(store.segments[:, 1], np.int64))
        self._segment_series = tf.constant(np.array(store.segments[:, 0], np.int64))

    def __call__(self, origins: tf.Tensor) -> tuple[dict[str, Any], dict[str, Any]]:
        """The windows at `origins` (int64 `[batch]`): see `window_dataset` for what they hold."""
        spec, roles = self._spec, self._roles
        last = tf.cast(origins, self._index)
        back = last[:, None] + tf.range(1 - spec.lookback, 1, dtype=self._index)
        ahead = last[:, None] + tf.range(1 + spec.gap, 1 + spec.reach, dtype=self._index)
        past = self._past.take(back, held=True)
        inputs = dict(zip(self._past_columns, past, strict=True))
        if OBSERVED in roles.covariates.past:
            if self._observed is None:
                inputs[OBSERVED] = tf.ones_like(back, tf.float32)
            else:
                inputs[OBSERVED] = tf.cast(tf.gather(self._observed, back), tf.float32)
        if self._future is not None:
            steps = tf.range(1 - spec.lookback, 1 + spec.reach, dtype=self._index)
            future = self._future.take(last[:, None] + steps, held=True)
            inputs.update(zip(roles.covariates.future, future, strict=True))
        if self._static:
            found = tf.searchsorted(self._segment_rows, origins, side="right") - 1
            series = tf.gather(self._segment_series, found)
            for name, values in self._static.items():
                inputs[name] = tf.gather(values, series)
        if self._time is not None:
            inputs[TIME] = tf.gather(self._time, last)
        labels = self._past.take(ahead, held=False, columns=len(roles.targets))
        if self._filled:
            known = tf.unstack(tf.transpose(self._known_at(ahead), [2, 0, 1]))
            labels = [
                tf.where(k, x, np.float32(np.nan)) for k, x in zip(known, labels, strict=True)
            ]
        return inputs, dict(zip(roles.targets, labels, strict=True))

    def stacked(self, origins: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The same windows as one tensor of inputs and one of labels; see `window_dataset`.

        Raises:
            ValueError: If there are inputs other than targets and stored past covariates.
        """
        spec, roles = self._spec, self._roles
        c = roles.covariates
        if c.future or c.static or c.calendar or OBSERVED in c.past:
            raise ValueError(
                "windows come as one tensor where all inputs are targets and past covariates; got "
                f"future {list(c.future)}, static {list(c.static)}, calendar {list(c.calendar)}, "
                f"past {list(c.past)}: ask for them by column"
            )
        last = tf.cast(origins, self._index)
        back = last[:, None] + tf.range(1 - spec.lookback, 1, dtype=self._index)
        ahead = last[:, None] + tf.range(1 + spec.gap, 1 + spec.reach, dtype=self._index)
        width = len(roles.targets)
        labels = self._past.stacked(ahead, held=False)[:, :, :width]
        if self._filled:
            known = self._known_at(ahead)
            labels = tf.where(known, labels, np.float32(np.nan))
        return self._past.stacked(back, held=True), labels

    def _known_at(self, rows: tf.Tensor) -> tf.Tensor:
        if self._known is not None:
            return tf.gather(self._known, rows)
        return tf.gather(self._past.ages, rows)[:, :, : len(self._roles.targets)] == 0


class _Columns:
    """Some columns of the values, and how to hold the last observed value (`windows.hold`)."""

    def __init__(self, store: SeriesStore, ends: npt.NDArray[np.int64], part: slice) -> None:
        # The ages first: what they need in passing is gone before the values come.
        self.ages = None
        known = store.observed[:, part]
        if store.fill == "linear" and not all(known[ends, c].all() for c in range(known.shape[1])):
            self.ages = tf.constant(_ages(known, np.asarray(store.segments)))
        release(store.observed)
        self._values = tensor(store.values[:, part])

    def stacked(self, rows: tf.Tensor, *, held: bool) -> tf.Tensor:
        """The values at `rows` `[batch, steps]` as `[batch, steps, columns]`; `held` if inputs."""
        values = tf.gather(self._values, rows)
        if not held or self.ages is None:
            return values
        end = rows[:, -1]
        ages = tf.cast(tf.gather(self.ages, end), rows.dtype)[:, None, :]
        steps = tf.range(1 - rows.shape[1], 1, dtype=rows.dtype)[None, :, None]
        last = tf.stack(
            [
                tf.gather(self._values, end - ages[:, 0, c])[:, c]
                for c in range(self._values.shape[1])
            ],
            axis=-1,
        )
        return tf.where(steps > -ages, last[:, None, :], values)

    def take(self, rows: tf.Tensor, *, held: bool, columns: int | None = None) -> list[tf.Tensor]:
        """By column, the values at `rows` `[batch, steps]`; `held` if they are inputs."""
        values = tf.gather(self._values, rows)
        if columns is not None and columns < values.shape[-1]:
            values = values[:, :, :columns]
        # One transpose, after which unstacking copies nothing, is faster than a slice by column.
        by_column: list[tf.Tensor] = tf.unstack(tf.transpose(values, [2, 0, 1]))
        if not held or self.ages is None:
            return by_column
        end = rows[:, -1]
        ages = tf.cast(tf.gather(self.ages, end), rows.dtype)
        steps = tf.range(1 - rows.shape[1], 1, dtype=rows.dtype)
        return [
            tf.where(
                steps > -ages[:, c, None],
                tf.gather(self._values, end - ages[:, c])[:, c, None],
                column,
            )
            for c, column in enumerate(by_column)
        ]


def _ages(known: npt.NDArray[np.bool_], segments: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """`age` of every column, in the smallest type that holds it: holes are short as a rule."""
    kind = np.int32 if len(known) < 2**31 else np.int64
    start = np.repeat(segments[:, 1].astype(kind), segments[:, 2])
    result: npt.NDArray[Any] = np.empty(known.shape, np.uint8)
    for c in range(known.shape[1]):
        column = age(known[:, c], start)
        smallest = np.result_type(result, np.min_scalar_type(int(column.max(initial=0))))
        # tf.gather knows these types, and not uint32.
        wider = np.dtype(np.int32) if smallest.itemsize > 2 else smallest
        result = result.astype(wider, copy=False)
        result[:, c] = column
    return result


def _by_series(store: SeriesStore, name: str) -> tf.Tensor:
    values = store.static[name]
    text = any(isinstance(v, str) for v in values)
    return tf.constant(list(values), tf.string if text else tf.float32)


def tensor(array: npt.NDArray[Any]) -> tf.Tensor:
    """A copy of `array` as a tensor; if it is memory-mapped, its pages are not kept in memory."""
    result = tf.constant(array)
    release(array)
    return result


def release(array: npt.NDArray[Any]) -> None:
    """Gives back the pages of a memory-mapped file: what was read once would stay, counted."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
