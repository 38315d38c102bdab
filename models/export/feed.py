"""Windows as the inputs of a forecaster, with the model's own lookback and columns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.network.inputs import TIME, input_specs
from models.roles import OBSERVED, Roles
from models.windows.spec import WindowSpec
from models.windows.view import WindowBatch, WindowView

Feed = dict[str, npt.NDArray[Any]]


def batch_feed(batch: WindowBatch, spec: WindowSpec, roles: Roles, text: Collection[str]) -> Feed:
    """The inputs of a forecaster from a gathered batch of its own windows.

    Args:
        batch: Windows gathered with the same `spec` and `roles`.
        spec: Lengths of the window.
        roles: Columns by role.
        text: The static covariates that are strings.

    Returns:
        By input column, arrays as `models.network.build.build_forecaster` wants them; text as
        object arrays of str.
    """
    given: dict[str, npt.NDArray[Any]] = {
        **batch.past,
        **batch.future,
        **batch.static,
        TIME: batch.time,
    }
    # `static` and the rest may not share a name with `time`: input_specs has refused that.
    feed: Feed = {}
    for name, (shape, dtype) in input_specs(spec, roles, text).items():
        value = given[name]
        if value.shape[1:] != shape:
            raise BadInputError(
                f"input {name!r}: got windows of shape {value.shape[1:]}, expected {shape}"
            )
        feed[name] = _typed(value, dtype)
    return feed


def view_feed(view: WindowView, spec: WindowSpec, roles: Roles, text: Collection[str]) -> Feed:
    """The inputs of a forecaster for the origins of `view`, with its own lookback and roles.

    The store behind the view may have another lookback, other columns, and another order of
    columns; `spec` must reach exactly as far ahead as the store's.

    Raises:
        BadInputError: If a window does not have `spec.lookback` steps of history in its segment.
    """
    enough = history_suffices(view, spec)
    if not enough.all():
        raise BadInputError(
            f"{int((~enough).sum())} of {len(view)} windows have less than {spec.lookback} steps "
            "of history; score only the windows that LoadedForecaster.usable names"
        )
    # Gathered by the store itself, which alone knows how filled steps look from an origin.
    has = view.store.roles
    past = (*(name for name in has.covariates.past if name != OBSERVED), OBSERVED)
    wider = has.model_copy(update={"covariates": has.covariates.model_copy(update={"past": past})})
    store = replace(view.store, spec=spec, roles=wider)
    batch = WindowView(store, view.origins).gather()
    known = {name: batch.future[name][:, : spec.lookback] for name in batch.future}
    c = roles.covariates
    return batch_feed(
        replace(
            batch,
            past={name: {**known, **batch.past}[name] for name in roles.targets + c.past},
            future={name: batch.future[name] for name in c.future},
        ),
        spec,
        roles,
        text,
    )


def history_suffices(view: WindowView, spec: WindowSpec) -> npt.NDArray[np.bool_]:
    """Which windows of `view` have `spec.lookback` steps of history in their segment."""
    first = np.asarray(view.store.segments[:, 1])
    position = np.searchsorted(first, view.origins, side="right") - 1
    return np.asarray(view.origins - spec.lookback + 1 >= first[position])


def _typed(value: npt.NDArray[Any], dtype: str) -> npt.NDArray[Any]:
    if dtype == "string":
        return np.asarray([str(v) for v in value], dtype=object)
    return np.ascontiguousarray(value, dtype=dtype)
