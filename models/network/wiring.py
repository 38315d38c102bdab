"""How the layers of a forecaster are connected: once, for whole windows and for single steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import keras

from models.features.calendar import Calendar
from models.network.inputs import TIME
from models.network.plumbing import AtEveryStep, ByTarget, RepeatForTargets, Steps
from models.roles import Roles
from models.windows.spec import WindowSpec

Tensor = Any
Layers = dict[str, keras.Layer]
BY_TARGET = "elman_targets_to_batch"
"""The layer that is there when each of several targets passes through the same weights."""
SHORTCUT = "elman_shortcut"


def recurrent(index: int) -> str:
    """Name of the recurrent layer at `index`, the first layer first."""
    return f"elman_recurrent_{index}"


def lookback_layers(spec: WindowSpec, roles: Roles, frequency: str) -> list[keras.Layer]:
    """The layers whose shape depends on how many steps an input holds; none has weights.

    Args:
        spec: Lengths of the window; a lookback of 1 is a single step with what lies ahead of it.
        roles: Columns by role.
        frequency: Step of the series, a pandas offset alias.
    """
    c = roles.covariates
    layers: list[keras.Layer] = []
    if c.calendar:
        layers.append(
            Calendar(c.calendar, frequency, spec.lookback, spec.reach, name="elman_calendar")
        )
    first = spec.lookback + spec.gap
    for index in range(bool(c.future) + bool(c.calendar)):
        layers.append(Steps(0, spec.lookback, name=f"elman_seen_{index}"))
        layers.append(Steps(first, first + spec.horizon, name=f"elman_ahead_{index}"))
    if c.static:
        layers.append(AtEveryStep(spec.lookback, name="elman_context_steps"))
    return layers


def connect(
    layers: Layers,
    inputs: Mapping[str, Tensor],
    roles: Roles,
    text: tuple[str, ...],
    *,
    encode: Callable[[Tensor], Tensor],
    shortcut_window: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, Tensor]:
    """Forecasts from raw inputs, through `layers`.

    Args:
        layers: By name. Layers that only join or repeat are added where they are missing.
        inputs: By column, as `build_forecaster` describes them.
        roles: Columns by role.
        text: The static covariates that are strings.
        encode: From [batch, steps, features] to the last state, [batch, units].
        shortcut_window: From the normalised targets [batch, steps, targets] of the input to those
            of the whole lookback, where the input holds less; None: it holds the lookback.

    Returns:
        By target, float32 [batch, horizon].
    """
    c = roles.covariates

    def has(name: str, make: Callable[[], keras.Layer]) -> keras.Layer:
        if name not in layers:
            layers[name] = make()
        return layers[name]

    def joined(parts: Iterable[Tensor | None], name: str) -> Tensor | None:
        present = [part for part in parts if part is not None]
        if len(present) > 1:
            return has(name, lambda: keras.layers.Concatenate(axis=-1, dtype="float32", name=name))(
                present
            )
        return present[0] if present else None

    def scaled(names: tuple[str, ...], name: str) -> list[Tensor]:
        return [layers[name]([inputs[n] for n in names])] if names else []

    normalised, anchor, spread = layers["elman_normalization"](
        layers["elman_targets"]([inputs[t] for t in roles.targets])
    )
    future = scaled(c.future, "elman_future")
    if c.calendar:
        future.append(layers["elman_calendar"](inputs[TIME]))
    static = scaled(tuple(n for n in c.static if n not in text), "elman_static")
    for index, name in enumerate(n for n in c.static if n in text):
        static.append(layers[f"elman_words_{index}"](inputs[name]))

    steps: list[Tensor | None] = [*scaled(c.past, "elman_past")]
    steps += [layers[f"elman_seen_{i}"](f) for i, f in enumerate(future)]
    ahead = joined([layers[f"elman_ahead_{i}"](f) for i, f in enumerate(future)], "elman_horizon")
    context = joined(static, "elman_context")
    if context is not None:
        steps.append(layers["elman_context_steps"](context))

    window = normalised if shortcut_window is None else shortcut_window(normalised)
    if BY_TARGET in layers:
        whole = window is normalised

        def repeated(values: Tensor | None, label: str) -> Tensor | None:
            if values is None:
                return None
            name = f"elman_{label}_for_targets"
            return has(name, lambda: RepeatForTargets(len(roles.targets), name=name))(values)

        normalised = layers[BY_TARGET](normalised)
        window = normalised if whole else layers[BY_TARGET](window)
        steps = [repeated(s, f"steps_{i}") for i, s in enumerate(steps)]
        ahead = repeated(ahead, "horizon")
        context = repeated(context, "context")

    state = encode(joined([normalised, *steps], "elman_steps"))
    read = joined([state, context], "elman_state")
    head = layers["elman_head"]
    forecast = head(read) if ahead is None else head(read, ahead)
    if SHORTCUT in layers:
        name = "elman_with_shortcut"
        forecast = has(name, lambda: keras.layers.Add(dtype="float32", name=name))(
            [forecast, layers[SHORTCUT](window)]
        )
    if BY_TARGET in layers:
        forecast = layers["elman_batch_to_targets"](forecast)
    natural = layers["elman_natural_units"](forecast, anchor, spread)
    by_target = has("elman_outputs", partial(ByTarget, name="elman_outputs"))(natural)
    return dict(zip(roles.targets, by_target, strict=True))
