"""Which series a window is of, told by its static covariates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from models.export.baselines.core import Refusal, Tensor, constant
from models.windows.store import SeriesStore


class SeriesLookUp(tf.Module):
    """Finds a series by the values of its static covariates.

    Args:
        keys: By static covariate, one value per series: float32 or str. No two series have all
            values in common.
    """

    def __init__(self, keys: Mapping[str, np.ndarray[Any, Any]]) -> None:
        super().__init__()
        self._keys = {
            name: constant(values, tf.string if values.dtype == object else tf.float32)
            for name, values in keys.items()
        }

    def __call__(self, columns: Mapping[str, Tensor]) -> Tensor:
        """int64 [batch]: index of the series of each window, -1 where it is none of them."""
        same = [columns[name][:, None] == keys[None, :] for name, keys in self._keys.items()]
        match = tf.reduce_all(tf.stack(same), axis=0)
        return tf.where(tf.reduce_any(match, axis=1), tf.argmax(tf.cast(match, tf.int8), 1), -1)


def series_look_up(store: SeriesStore) -> SeriesLookUp | Refusal:
    """Tells the series of `store` apart by one static covariate, or by all of them together."""
    keys: dict[str, np.ndarray[Any, Any]] = {}
    for name in store.roles.covariates.static:
        text = any(isinstance(v, str) for v in store.static[name])
        keys[name] = np.asarray(store.static[name], object if text else np.float32)
    for names in (*((name,) for name in keys), tuple(keys)):
        if names and _distinct([keys[name] for name in names]):
            return SeriesLookUp({name: keys[name] for name in names})
    if not keys:
        return Refusal(
            "a request does not say which series it is of; a static covariate that differs from "
            "series to series would (covariates.static)"
        )
    return Refusal(
        f"the static covariates {list(keys)} are equal for some series, so that a request does "
        "not say which one it is of; one that differs from series to series would "
        "(covariates.static)"
    )


def _distinct(keys: list[np.ndarray[Any, Any]]) -> bool:
    rows = list(zip(*(values.tolist() for values in keys), strict=True))
    # nan is unequal even to itself: a request with it would never be recognised.
    return len(set(rows)) == len(rows) and all(value == value for row in rows for value in row)
