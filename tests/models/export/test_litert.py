"""The step that LiteRT runs is the step of the SavedModel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.errors import BadInputError
from models.export.engine_files import require_engine, write_engine_file
from models.export.litert.whole_numbers import WholeNumbers
from models.features.cycles import calendar_parts, moved
from models.features.step import Step
from models.network.config import ModelConfig
from models.roles import Roles
from models.windows.spec import WindowSpec
from serving.runtimes.litert import LiteRtRuntime
from tests.models.export.engine_cases import (
    EVERYTHING,
    FREQUENCIES,
    described,
    trained,
    windows,
)

SPEC = WindowSpec(lookback=5, horizon=3, gap=1)


def inputs(stepper: Any, about: dict[str, Any], roles: Roles, rows: int) -> dict[str, Any]:
    """By tensor, one raw step and any state."""
    feed = windows(SPEC.model_copy(update={"lookback": 1}), roles, rows)
    flat = {*roles.targets, *roles.covariates.past}
    rng = np.random.default_rng(8)
    tensors = {n: feed[c][:, 0] if c in flat else feed[c] for c, n in about["inputs"].items()}
    for name, shape in stepper.state.items():
        tensors[name] = rng.normal(size=(rows, *shape)).astype(np.float32)
    return tensors


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "roles", "frequency"),
    [
        (ModelConfig(cell="lstm", units=(5, 4)), EVERYTHING, "W-SAT"),
        (
            ModelConfig(cell="gru", units=(3,), channels="shared", shortcut=True, normalize="none"),
            Roles(targets=("x", "y")),
            "h",
        ),
        (ModelConfig(cell="second_order", units=(3,)), Roles(targets=("y",)), "h"),
    ],
    ids=["lstm", "gru", "second_order"],
)  # fmt: skip
def test_steps_are_those_of_the_network(
    config: ModelConfig, roles: Roles, frequency: str, tmp_path: Path
) -> None:
    network = trained(SPEC, roles, config, frequency)
    about, stepper = described(network, SPEC, roles, frequency)
    assert stepper is not None
    write_engine_file("litert", network, stepper, about, tmp_path)
    runtime = LiteRtRuntime(tmp_path / "step.tflite")
    names = sorted(runtime.outputs)
    assert set(names) == {*about["outputs"].values(), *stepper.state}
    for rows in (3, 1, 7):  # any number of rows, one after the other
        tensors = inputs(stepper, about, roles, rows)
        columns = {c: tf.constant(tensors[about["inputs"][c]]) for c in stepper.inputs}
        state = {name: tf.constant(tensors[name]) for name in stepper.state}
        forecasts, after = stepper.step(columns, state)
        expected = {about["outputs"][t]: v.numpy() for t, v in forecasts.items()}
        expected |= {name: v.numpy() for name, v in after.items()}
        as_bytes = {
            n: np.array([w.encode() for w in v], object) if v.dtype == object else v
            for n, v in tensors.items()
        }
        got = dict(zip(names, runtime.run(as_bytes, names), strict=True))
        for name, want in expected.items():
            scale = max(1.0, np.abs(want).max())
            assert got[name].shape == want.shape
            np.testing.assert_allclose(got[name] / scale, want / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_calendars_without_divisions_of_int64_are_exact(frequency: str) -> None:
    """Against NumPy's own division, over all times that pandas knows and beyond."""
    step = Step.parse(frequency)
    seconds = np.random.default_rng(1).integers(-60_000_000_000, 200_000_000_000, 4000)[:, None]
    offsets = np.arange(-3, 5)[None, :]
    exact = moved(seconds, offsets, step)
    ours = moved(WholeNumbers(tf.constant(seconds)), WholeNumbers(tf.constant(offsets)), step)
    np.testing.assert_array_equal(ours.tensor.numpy(), exact)
    parts = calendar_parts(WholeNumbers(tf.constant(exact)))
    for name, want in calendar_parts(exact).items():
        for got, value in zip(parts[name], want, strict=True):
            number = got.tensor.numpy() if isinstance(got, WholeNumbers) else got
            np.testing.assert_array_equal(number, value)


@pytest.mark.parametrize("change", [{"bidirectional": True}, {"normalize": "window"}])
def test_a_network_without_steps_is_refused_before_training(change: dict[str, Any]) -> None:
    config = ModelConfig.model_validate(change)
    with pytest.raises(BadInputError, match=r"received litert.*step by step"):
        require_engine("litert", config)
    require_engine("onnx", config)
    require_engine("tensorflow", config)
