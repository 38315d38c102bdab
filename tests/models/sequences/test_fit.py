"""Training on whole sequences: each task is learned, and a kill changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import BadInputError
from models.reference.bptt import bptt
from models.reference.elman import ElmanWeights
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig
from models.sequences.fit import sequence_plan
from models.sequences.losses import ClassLoss
from models.sequences.network_core import NetworkCore
from models.sequences.predict import predict_core
from models.sequences.store import SequenceStore
from models.training.gradient_flow.config import GradientFlowConfig
from models.training.gradient_flow.probe import FlowProbe
from models.training.history import SERIES
from tests.models.sequences.fitted import cycles, first_symbol, fit, network_of, rising
from tests.models.training.conftest import Ear

OFF = GradientFlowConfig(every=0)


def accuracy(store: SequenceStore, network: Any) -> float:
    view = store.view("validation")
    found = predict_core(NetworkCore(network), view)
    return float((found.predicted == view.labels()).mean())


@pytest.mark.parametrize(
    ("made", "model"),
    [
        (first_symbol, SequenceModelConfig(cell="gru", units=(8,))),
        (rising, SequenceModelConfig(cell="simple_rnn", units=(12,), bidirectional=True)),
    ],
)
def test_labels_are_learned(
    made: Callable[[], SequenceStore], model: SequenceModelConfig, tmp_path: Path
) -> None:
    store, ear = made(), Ear()
    config = SequenceTrainConfig(
        epochs=12,
        batch_size=16,
        learning_rate=0.03,
        patience=None,
        class_weights="balanced",
        label_smoothing=0.01,
        gradient_flow=OFF,
    )
    history, network = fit(store, model, config, tmp_path, ear)
    # The most frequent class alone is right about half of the time.
    assert accuracy(store, network) >= 0.8, history.epochs["val_loss"]
    assert history.best_val_loss == min(history.epochs["val_loss"])
    splits = store.view("train"), store.view("validation")
    assert [history.train_windows, history.validation_windows] == [len(v) for v in splits]
    assert [step for step, _ in ear.epochs] == list(range(1, history.epochs_run + 1))


class _KilledError(Exception):
    """Stands for a SIGKILL: nothing catches it."""


class _Killer(Ear):
    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        if step == 3:  # trained, not yet written
            raise _KilledError


def test_next_symbols_are_learned_and_a_kill_changes_nothing(tmp_path: Path) -> None:
    store = cycles()
    model = SequenceModelConfig(cell="simple_rnn", units=(8,), dropout=0.1, shortcut=True)
    config = SequenceTrainConfig(
        epochs=6,
        batch_size=8,
        learning_rate=0.03,
        gradient_flow=OFF,
    )
    whole, network = fit(store, model, config, tmp_path / "whole", Ear())
    with pytest.raises(_KilledError):
        fit(store, model, config, tmp_path / "killed", _Killer())
    again, continued = fit(store, model, config, tmp_path / "killed", Ear())
    assert (whole.resumed_after, again.resumed_after) == (0, 2)
    for name in SERIES:
        if name != "seconds":
            assert again.epochs[name] == whole.epochs[name], name
    for a, b in zip(network.variables, continued.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    # Of abc and acb, over and over, all but the second symbol can be known.
    assert accuracy(store, network) > 0.8


@pytest.mark.parametrize("made", [first_symbol, cycles])
def test_gradient_flow_is_that_of_the_last_real_step(
    made: Callable[[int, int], SequenceStore],
) -> None:
    store = made(40, 5)
    train = store.view("train")
    network = network_of(store, SequenceModelConfig(cell="simple_rnn", units=(4,), embedding=3))
    plan = sequence_plan(train)
    batch = plan.batch(8)
    assert batch is not None
    inputs, labels = batch
    length = inputs["length"]
    assert len(length) == 8
    assert len(set(length)) > 2, "lengths should differ"
    got = FlowProbe(network, inputs, labels, ClassLoss(), backward=plan.backward).measure(1)

    vectors, *weights = (v.numpy().astype(np.float64) for v in network.trainable_variables)
    last = labels if labels.ndim == 1 else labels[np.arange(8), length - 1]
    time = inputs["tokens_0"].shape[1]
    by_lag = np.zeros(time)
    for row in range(8):
        steps = int(length[row])
        d = np.zeros((1, steps, len(store.classes)))
        d[0, -1, last[row]] = 1
        w = np.zeros((1, steps))
        w[0, -1] = 1 / 8
        x = vectors[inputs["tokens_0"][row : row + 1, :steps]]
        s = bptt(ElmanWeights(*weights), x, d, error="cross_entropy", w=w).s[0]
        by_lag[:steps] += (s[::-1] ** 2).sum(axis=1)
    np.testing.assert_allclose(
        got.norms["elman_recurrent_0"], np.sqrt(by_lag), rtol=1e-4, atol=1e-8
    )


def test_backward_directions_are_left_out_where_they_have_nothing_to_say() -> None:
    store = rising(20, 5)
    plan = sequence_plan(store.view("train"))
    assert (plan.backward, sequence_plan(first_symbol(9, 3).view("train")).backward) == (
        False,
        True,
    )
    model = SequenceModelConfig(cell="simple_rnn", units=(3,), bidirectional=True)
    inputs, labels = plan.batch(4) or ({}, None)
    probe = FlowProbe(network_of(store, model), inputs, labels, ClassLoss(), backward=False)
    assert list(probe.measure(1).norms) == ["elman_recurrent_0"]


def refused(store: SequenceStore, tmp_path: Path, **changes: Any) -> None:
    config = SequenceTrainConfig(epochs=2, gradient_flow=OFF, **changes)
    fit(store, SequenceModelConfig(cell="simple_rnn", units=(2,)), config, tmp_path, Ear())


def test_data_that_cannot_be_learned_from_is_refused(tmp_path: Path) -> None:
    store = first_symbol(12, 4)
    with pytest.raises(BadInputError, match="validation split has no sequence"):
        refused(first_symbol(12, 0), tmp_path)
    with pytest.raises(BadInputError, match="no label of theirs is a class"):
        refused(
            replace(store, labels=np.where(np.arange(16) < 12, 0, -1).astype(np.int32)), tmp_path
        )
    with pytest.raises(BadInputError, match="class_weights names"):
        refused(store, tmp_path, class_weights={"up": 2.0})
