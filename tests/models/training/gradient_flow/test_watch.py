"""Gradient flow of trainings: when it is measured, and that the training does not notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.network.config import ModelConfig
from models.training.config import TrainConfig
from models.training.gradient_flow.config import GradientFlowConfig
from models.training.gradient_flow.flow import GradientFlow
from models.training.gradient_flow.watch import FlowWatch
from models.training.gradient_flow.windows import window_plan
from models.training.history import SERIES, TrainingHistory
from models.windows.store import SeriesStore
from tests.models.training.conftest import Ear
from tests.models.training.fitted import fit
from tests.stores import scaling_of

DROPPING = ModelConfig(
    cell="simple_rnn", units=(6,), activation="sigmoid", dropout=0.3, recurrent_dropout=0.2
)
OFF = GradientFlowConfig(every=0)


def config(**changes: Any) -> TrainConfig:
    return TrainConfig(**{"epochs": 4, "batch_size": 100, "learning_rate": 0.02, **changes})


@pytest.fixture(scope="module")
def measured(store: SeriesStore, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """History, network and listener of a training with measurements after epochs 1, 3 and 4."""
    ear = Ear()
    how = config(gradient_flow=GradientFlowConfig(every=3, windows=8))
    return *fit(store, how, tmp_path_factory.mktemp("on"), ear, DROPPING), ear, how


def test_it_is_measured_after_the_first_every_nth_and_the_last_epoch(measured: Any) -> None:
    history, _, ear, _ = measured
    flows = [GradientFlow.from_json(values) for values in history.gradient_flow]
    assert [flow.epoch for flow in flows] == [1, 3, 4]
    assert all(len(flow.norms["elman_recurrent_0"]) == 10 for flow in flows)
    heard = {step: values.get("gradient_reach") for step, values in ear.epochs}
    assert heard == {1: flows[0].reach, 2: None, 3: flows[1].reach, 4: flows[2].reach}
    assert TrainingHistory.from_json(history.to_json()) == history


def test_training_is_the_same_to_the_bit_with_and_without_it(
    store: SeriesStore, measured: Any, tmp_path: Path, ear: Ear
) -> None:
    history, network, _, _ = measured
    plain, other = fit(store, config(gradient_flow=OFF), tmp_path, ear, DROPPING)
    assert plain.gradient_flow == []
    assert not any("gradient_reach" in values for _, values in ear.epochs)
    for name in set(SERIES) - {"seconds"}:
        assert plain.epochs[name] == history.epochs[name], name
    # All variables: the state of the generators that dropout draws from, too.
    for a, b in zip(network.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_vanishing_is_said_once_at_the_end(measured: Any) -> None:
    history, _, ear, _ = measured
    # A sigmoid's slope is at most 1/4, and the recurrent kernel starts orthogonal.
    assert all(GradientFlow.from_json(flow).vanishing() for flow in history.gradient_flow)
    assert [text.split(":")[0] for text in ear.warnings] == ["gradients vanish"]
    assert "after epoch 4" in ear.warnings[0]


def test_windows_without_an_observed_label_are_passed_over(store: SeriesStore) -> None:
    from models.network.build import build_forecaster
    from models.training.losses import LabelLoss

    scaling = scaling_of(store)
    network = build_forecaster(
        spec=store.spec,
        roles=store.roles,
        model=ModelConfig(cell="simple_rnn", units=(3,)),
        scaling=scaling,
        frequency="h",
        seed=1,
    )
    loss = LabelLoss("mse", scaling, store.roles.targets)

    def norms(observed: Any, ear: Ear) -> list[dict[str, Any]]:
        view = replace(store, observed=observed).view("train")
        history = TrainingHistory()
        watch = FlowWatch(
            network,
            window_plan(network, view),
            loss,
            GradientFlowConfig(every=1, windows=5),
            ear,
        )
        watch.after_epoch(1, last=False, history=history)
        watch.after_training(history)
        return history.gradient_flow

    late = np.zeros_like(store.observed)
    late[200:] = store.observed[200:]
    found = norms(late, Ear())
    assert min(found[0]["norms"]["elman_recurrent_0"]) > 0
    silent = Ear()
    assert norms(np.zeros_like(store.observed), silent) == []
    assert "not measured" in silent.warnings[0]
