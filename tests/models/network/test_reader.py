"""Streams read in stretches, against the same read step by step and as windows of any length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.export.streaming import Stepper
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.network.reader import StreamReader
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec

HOUR = 3600
EVERY_ROLE = Roles(
    targets=("a", "b"),
    covariates=Covariates(
        past=("wind", "observed"),
        future=("price",),
        static=("area", "region"),
        calendar=("hour_of_day", "day_of_week"),
    ),
)
WORDS = {"region": ("north", "south")}
SPEC = WindowSpec(lookback=5, horizon=3, gap=1)


def network(roles: Roles, model: ModelConfig, spec: WindowSpec = SPEC) -> Any:
    """With every weight away from its initial value, biases and shortcut included."""
    built = build_forecaster(
        spec=spec,
        roles=roles,
        model=model,
        scaling=Scaling.of(dict.fromkeys((*roles.dynamic, "area"), (50.0, 10.0))),
        frequency="h",
        vocabularies={k: WORDS[k] for k in roles.covariates.static if k in WORDS},
        seed=3,
    )
    rng = np.random.default_rng(3)
    built.set_weights(
        [w + rng.normal(scale=0.1, size=w.shape).astype(w.dtype) for w in built.get_weights()]
    )
    return built


def text(roles: Roles) -> tuple[str, ...]:
    return tuple(n for n in roles.covariates.static if n in WORDS)


def series(roles: Roles, streams: int, steps: int, reach: int) -> dict[str, Any]:
    """By column: [streams, steps]; future [streams, steps, 1 + reach]; static [streams]."""
    rng = np.random.default_rng(0)
    c = roles.covariates
    values: dict[str, Any] = {}
    for name in roles.dynamic:
        long = rng.normal(50, 10, size=(streams, steps + reach)).astype(np.float32)
        ahead = np.arange(steps)[:, None] + np.arange(1 + reach)
        values[name] = long[:, ahead] if name in c.future else long[:, :steps]
    if "observed" in c.past:
        values["observed"] = (rng.random((streams, steps)) > 0.3).astype(np.float32)
    if "area" in c.static:
        values["area"] = rng.normal(50, 10, streams).astype(np.float32)
        values["region"] = np.array(["north", "elsewhere", "south"][:streams], object)
    if c.calendar:
        values["time"] = 1_500_000_000 // HOUR * HOUR + HOUR * np.arange(steps)[None, :]
        values["time"] = np.repeat(values["time"], streams, axis=0) + 7 * HOUR
    return values


def by_step(
    stepper: Stepper, roles: Roles, values: dict[str, Any], steps: int, streams: int
) -> Any:
    """The forecasts of every step, [streams, steps, horizon] by target."""
    state, found = stepper.init(tf.constant(streams)), []
    for t in range(steps):
        columns = {
            n: tf.constant(v if n in roles.covariates.static else v[:, t])
            for n, v in values.items()
        }
        out, state = stepper.step(columns, state)
        found.append({k: v.numpy() for k, v in out.items()})
    return {k: np.stack([f[k] for f in found], axis=1) for k in roles.targets}, state


def in_chunks(
    reader: StreamReader, roles: Roles, values: dict[str, Any], chunks: list[int], streams: int
) -> Any:
    """The same through the reader, `chunks` steps at a time."""
    state, found, at = reader.init(streams), [], 0
    c = roles.covariates
    for steps in chunks:
        columns = {}
        for name, v in values.items():
            if name in c.static:
                part = np.repeat(v, steps)
            else:
                part = v[:, at : at + steps].reshape(streams * steps, -1)
                part = part[:, 0] if name == "time" else part
            columns[name] = tf.constant(part)
        out, state = reader.read(columns, state, streams=streams, steps=steps)
        found.append({k: v.numpy().reshape(streams, steps, -1) for k, v in out.items()})
        at += steps
    return {k: np.concatenate([f[k] for f in found], axis=1) for k in roles.targets}, state


@pytest.mark.parametrize(
    ("cell", "units", "channels", "shortcut"),
    [
        ("simple_rnn", (4,), "mixed", False),
        ("lstm", (4, 3), "shared", True),
        ("gru", (3, 4), "mixed", True),
    ],
)
def test_stretches_give_what_single_steps_give(
    cell: Any, units: tuple[int, ...], channels: Any, shortcut: bool
) -> None:
    model = ModelConfig(cell=cell, units=units, channels=channels, shortcut=shortcut)
    built = network(EVERY_ROLE, model)
    arguments = (built, SPEC, EVERY_ROLE, "h", text(EVERY_ROLE))
    reader, stepper = StreamReader(*arguments), Stepper(*arguments)
    assert reader.state == stepper.state
    values = series(EVERY_ROLE, 3, 7, SPEC.reach)
    want, last = by_step(stepper, EVERY_ROLE, values, 7, 3)
    got, state = in_chunks(reader, EVERY_ROLE, values, [1, 4, 2], 3)
    for target in EVERY_ROLE.targets:
        np.testing.assert_allclose(got[target], want[target], rtol=2e-5)
    for name, value in last.items():
        np.testing.assert_allclose(state[name], value, rtol=1e-4, atol=1e-6)


def test_every_step_is_the_last_of_a_window_as_long() -> None:
    roles = Roles(targets=("x",))
    model = ModelConfig(cell="lstm", units=(4, 3), normalize="none")
    built = network(roles, model)
    values = series(roles, 2, 7, 0)
    values["x"] = (values["x"] - 50) / 10
    got, _ = in_chunks(StreamReader(built, SPEC, roles, "h", ()), roles, values, [3, 4], 2)
    for t in (0, 2, 3, 6):
        whole = network(roles, model, SPEC.model_copy(update={"lookback": t + 1}))
        whole.set_weights(built.get_weights())
        want = whole({"x": tf.constant(values["x"][:, : t + 1])}, training=False)["x"]
        np.testing.assert_allclose(got["x"][:, t], want, rtol=1e-5, atol=1e-6)


def test_it_owns_no_weight_and_leaves_the_network_as_it_was() -> None:
    roles = Roles(targets=("x",))
    built = network(roles, ModelConfig(cell="gru", units=(4, 3)))
    before = [v.path for v in built.variables]
    window = {"x": tf.constant(np.full((2, SPEC.lookback), 47.0, np.float32))}
    forecast = built(window, training=False)["x"].numpy()
    reader = StreamReader(built, SPEC, roles, "h", ())
    values = {"x": tf.fill((4, 1), 47.0)}
    with tf.GradientTape() as tape:
        out, _ = reader.read(values, reader.init(2), streams=2, steps=2, training=True)
        loss = tf.reduce_sum(out["x"])
    assert all(g is not None for g in tape.gradient(loss, built.trainable_variables))
    assert {v.ref() for v in tape.watched_variables()} == {
        v.value.ref() for v in built.trainable_variables
    }
    assert [v.path for v in built.variables] == before
    np.testing.assert_array_equal(built(window, training=False)["x"], forecast)
