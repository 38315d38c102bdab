"""Forecasters of every shape, and raw windows for them, for comparisons between engines."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from models.export.metadata import describe
from models.export.portable import portable_copy
from models.export.streaming import Stepper, stepper_of
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.network.inputs import input_specs
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec

MEAN, SPREAD = 3.0, 2.0
WORDS = {"region": ("north", "sud", "Österreich")}
FREQUENCIES = ("h", "15min", "D", "W-SAT", "B", "MS", "ME", "BMS", "BME", "QS", "YE")
FEATURES = (
    "minute_of_hour",
    "hour_of_day",
    "day_of_week",
    "day_of_month",
    "day_of_year",
    "week_of_year",
    "month_of_year",
    "quarter_of_year",
)


def trained(
    spec: WindowSpec, roles: Roles, config: ModelConfig, frequency: str, seed: int = 3
) -> Any:
    """A portable network whose weights, biases and shortcut are all away from where they begin."""
    numbers = [*roles.dynamic, *(n for n in roles.covariates.static if n not in WORDS)]
    built = build_forecaster(
        spec=spec,
        roles=roles,
        model=config,
        scaling=Scaling.of(dict.fromkeys(numbers, (MEAN, SPREAD))),
        frequency=frequency,
        vocabularies={k: WORDS[k] for k in roles.covariates.static if k in WORDS},
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    built.set_weights(
        [w + rng.normal(scale=0.2, size=w.shape).astype(w.dtype) for w in built.get_weights()]
    )
    return portable_copy(built)


def described(
    network: Any, spec: WindowSpec, roles: Roles, frequency: str
) -> tuple[dict[str, Any], Stepper | None]:
    """The metadata of an export, and its stepper."""
    text = tuple(n for n in roles.covariates.static if n in WORDS)
    stepper, reason = stepper_of(network, spec, roles, frequency, text)
    streaming = None if stepper is None else stepper.described()
    about = describe(spec, roles, frequency, text, {}, streaming=streaming, refusal=reason)
    return about, stepper


def windows(spec: WindowSpec, roles: Roles, rows: int, seed: int = 0) -> dict[str, Any]:
    """Raw values by column; text as object arrays of str, some of it unknown."""
    rng = np.random.default_rng(seed)
    text = tuple(n for n in roles.covariates.static if n in WORDS)
    feed: dict[str, Any] = {}
    for column, (shape, dtype) in input_specs(spec, roles, text).items():
        size = (rows, *shape)
        if dtype == "string":
            known = [*WORDS[column], "elsewhere", ""]
            feed[column] = np.array([known[i] for i in rng.integers(0, 5, rows)], object)
        elif dtype == "int64":  # 1903 to 2096, at any second
            feed[column] = rng.integers(-(2**31), 2**32 - 2**28, size)
        elif column == "observed":
            feed[column] = (rng.random(size) > 0.2).astype(np.float32)
        else:
            feed[column] = (MEAN + SPREAD * rng.normal(size=size)).astype(np.float32)
    return feed


@st.composite
def forecasters(draw: st.DrawFn) -> tuple[WindowSpec, Roles, ModelConfig, str]:
    """Any forecaster that can be configured, small."""
    spec = WindowSpec(
        lookback=draw(st.integers(2, 9)),
        horizon=draw(st.integers(1, 4)),
        gap=draw(st.integers(0, 2)),
    )
    frequency = draw(st.sampled_from(FREQUENCIES))
    roles = Roles(
        targets=("CO2 (ppm)", "a/b", "y")[: draw(st.integers(1, 3))],
        covariates=Covariates(
            past=draw(st.sampled_from([(), ("wind",), ("wind", "observed"), ("observed",)])),
            future=draw(st.sampled_from([(), ("#price",), ("#price", "load")])),
            static=draw(st.sampled_from([(), ("area",), ("region",), ("area", "region")])),
            calendar=tuple(draw(st.lists(st.sampled_from(FEATURES), max_size=3, unique=True))),
        ),
    )
    config = ModelConfig(
        cell=draw(st.sampled_from(["simple_rnn", "lstm", "gru", "second_order"])),
        units=tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))),
        bidirectional=draw(st.booleans()),
        shortcut=draw(st.booleans()),
        activation=draw(st.sampled_from(["tanh", "sigmoid", "relu"])),
        channels=draw(st.sampled_from(["mixed", "shared"])),
        normalize=draw(st.sampled_from(["standard", "window", "none"])),
    )
    return spec, roles, config, frequency


EVERYTHING = Roles(
    targets=("CO2 (ppm)", "a/b"),
    covariates=Covariates(
        past=("wind", "observed"),
        future=("#price",),
        static=("area", "region"),
        calendar=("week_of_year", "day_of_month"),
    ),
)
