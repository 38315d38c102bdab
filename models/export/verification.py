"""`verification.npz`: a few raw windows and what the training process forecasts for them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.errors import FailedRunError
from models.export.feed import Feed, view_feed
from models.export.names import signature_names
from models.export.portable import exact_float32, is_float32, portable_copy
from models.export.saved_model import text_inputs
from models.export.streaming import stepper_of
from models.features.calendar import step_times
from models.features.step import Step
from models.network.inputs import TIME
from models.windows.store import SeriesStore
from models.windows.view import WindowView


def write_verification(model: keras.Model, view: WindowView, file: Path, n: int = 32) -> None:
    """Writes inputs and forecasts of `n` windows spread evenly over `view`.

    The file needs only NumPy to read, and no pickle. Arrays by tensor name (see
    `models.export.names`): `input.<name>` raw values [n, ...]; `output.<name>` float32
    [n, horizon], the forecast of `model` in this process; `scale.<name>`, a float32 scalar
    against which differences are judged: the larger of the spread of the target's raw past values
    and of the largest forecast; and, for a network that can be read step by step and uses
    calendar features, `stream.time`, int64 [n, lookback], the Unix seconds of every step.

    The forecasts are those of `model` itself, with its own kernels (cuDNN on a GPU), so that the
    check compares two implementations. A model trained in mixed precision is served in float32;
    its forecasts here are those of its float32 copy.

    Raises:
        FailedRunError: If there is no window, or a forecast is not finite.
    """
    if len(view) == 0:
        raise FailedRunError("there is no window to verify the exported model with")
    chosen = np.unique(np.linspace(0, len(view) - 1, min(n, len(view))).round().astype(np.int64))
    store = view.store
    feed = view_feed(view.take(chosen), store.spec, store.roles, text_inputs(model))
    reference = model if is_float32(model) else portable_copy(model)
    with exact_float32():
        tensors = {k: tf.constant(v) for k, v in feed.items()}
        forecasts = reference(tensors, training=False)
    arrays = verification_arrays(feed, {t: np.asarray(forecasts[t]) for t in store.roles.targets})
    if TIME in feed and _can_stream(model, store):
        past = tf.range(1 - store.spec.lookback, 1, dtype=tf.int64)
        times = step_times(tensors[TIME], past, Step.parse(store.frequency))
        arrays["stream.time"] = np.asarray(times)
    save_verification(arrays, file)


def verification_arrays(
    feed: Feed, forecasts: Mapping[str, npt.NDArray[np.floating[Any]]]
) -> dict[str, npt.NDArray[Any]]:
    """The arrays `input.*`, `output.*` and `scale.*` of `write_verification`.

    Args:
        feed: By input column, raw values of the windows.
        forecasts: By target, `[windows, horizon]`.

    Raises:
        FailedRunError: If a forecast is not finite.
    """
    names = signature_names(feed)
    arrays: dict[str, Any] = {
        f"input.{names[column]}": np.asarray(value, dtype=str) if value.dtype == object else value
        for column, value in feed.items()
    }
    for target, values in forecasts.items():
        forecast = np.asarray(values, np.float32)
        if not np.isfinite(forecast).all():
            raise FailedRunError(
                f"the trained model forecasts {target!r} as nan or infinite; nothing to export. "
                "Lower the learning rate or clip gradients"
            )
        spread = float(np.std(feed[target], dtype=np.float64))
        arrays[f"output.{names[target]}"] = forecast
        arrays[f"scale.{names[target]}"] = np.float32(max(spread, np.abs(forecast).max()))
    return arrays


def save_verification(arrays: Mapping[str, npt.NDArray[Any]], file: Path) -> None:
    """Writes `arrays` into the .npz `file`, which appears when it is complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    staging = file.with_name(f".{uuid.uuid4().hex}.npz")
    try:
        values: dict[str, Any] = dict(arrays)
        np.savez(staging, **values)
        staging.replace(file)
    finally:
        staging.unlink(missing_ok=True)


def _can_stream(model: keras.Model, store: SeriesStore) -> bool:
    text = text_inputs(model)
    return stepper_of(model, store.spec, store.roles, store.frequency, text)[0] is not None
