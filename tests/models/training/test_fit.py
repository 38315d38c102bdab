"""`fit_forecaster` against a training loop written by hand, and what it promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.errors import BadInputError, FailedRunError
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.training.config import ClipConfig, TrainConfig
from models.training.dataset import epoch_order
from models.training.gradient_flow.config import GradientFlowConfig
from models.training.history import SERIES, TrainingHistory
from models.windows.store import SeriesStore
from tests.models.training.conftest import Ear
from tests.models.training.fitted import fit
from tests.stores import scaling_of

PLAIN = ModelConfig(cell="simple_rnn", units=(6,))
UNPROBED = GradientFlowConfig(every=0)
"""Measured in tests of its own; here it would only cost time."""


def by_hand(store: SeriesStore, config: TrainConfig) -> tuple[list[float], list[float], float, Any]:
    """Losses, norms, clipped share and weights of one epoch of SGD, in NumPy but for gradients."""
    scaling, roles = scaling_of(store), store.roles
    network = build_forecaster(
        spec=store.spec,
        roles=roles,
        model=PLAIN,
        scaling=scaling,
        frequency=store.frequency,
        seed=config.seed,
    )
    view = store.view("train")
    order = epoch_order(len(view), config.seed, 0)
    assert config.clip is not None
    limit = config.clip.global_norm
    assert limit is not None
    sums, norms = [], []
    for start in range(0, len(view), config.batch_size):
        batch = view.take(order[start : start + config.batch_size]).gather()
        with tf.GradientTape() as tape:
            out = network({k: tf.constant(v) for k, v in batch.past.items()})
            errors = [
                tf.boolean_mask(out[name] - batch.labels[..., i], ~np.isnan(batch.labels[..., i]))
                / scaling[name].scale
                for i, name in enumerate(roles.targets)
            ]
            loss = tf.reduce_mean(tf.square(tf.concat(errors, axis=0)))
        gradients = tape.gradient(loss, network.trainable_variables)
        norms.append(
            float(np.sqrt(sum((g.numpy().astype(np.float64) ** 2).sum() for g in gradients)))
        )
        shrink = min(1.0, limit / norms[-1])
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
            variable.assign_sub(config.learning_rate * shrink * gradient)
        sums.append((float(loss), int(np.isfinite(batch.labels).sum())))
    total = sum(loss * n for loss, n in sums) / sum(n for _, n in sums)
    return [total], norms, float(np.mean(np.array(norms) > limit)), network.get_weights()


def test_one_epoch_equals_a_loop_written_by_hand(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    config = TrainConfig(
        epochs=1,
        batch_size=50,
        optimizer="sgd",
        learning_rate=0.05,
        clip=ClipConfig(global_norm=1.4),
        gradient_flow=UNPROBED,
    )
    history, network = fit(store, config, tmp_path, ear, PLAIN)
    loss, norms, clipped, weights = by_hand(store, config)
    assert 0 < clipped < 1, "the limit should lie among the norms, or the test shows little"
    epoch = history.at(1)
    np.testing.assert_allclose(epoch["loss"], loss[0], rtol=1e-5)
    np.testing.assert_allclose(epoch["gradient_norm"], np.mean(norms), rtol=1e-4)
    np.testing.assert_allclose(epoch["gradient_norm_max"], max(norms), rtol=1e-4)
    np.testing.assert_allclose(epoch["clipped_share"], clipped)
    for got, want in zip(network.get_weights(), weights, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


LEARNING = TrainConfig(
    epochs=12, batch_size=32, learning_rate=0.02, patience=3, gradient_flow=UNPROBED
)


@pytest.fixture(scope="module")
def trained(store: SeriesStore, tmp_path_factory: pytest.TempPathFactory) -> Any:
    ear = Ear()
    config = LEARNING.model_copy(update={"learning_rate": 0.05})
    model = ModelConfig(cell="gru", units=(8,))
    return *fit(store, config, tmp_path_factory.mktemp("a"), ear, model), ear, config


def mse(store: SeriesStore, forecasts: Any, split: str) -> float:
    """Mean squared error over observed labels, in train standard deviations."""
    scales = np.array([scaling_of(store)[t].scale for t in store.roles.targets])
    return float(np.nanmean(((forecasts - store.view(split).labels()) / scales) ** 2))


def predict(network: Any, store: SeriesStore, split: str) -> Any:
    past = store.view(split).gather().past
    out = network({k: tf.constant(v) for k, v in past.items()}, training=False)
    return np.stack([out[t].numpy() for t in store.roles.targets], axis=-1)


def test_it_learns_the_waves_and_keeps_the_best_weights(store: SeriesStore, trained: Any) -> None:
    history, network, _, _ = trained
    last = np.repeat(store.view("test").targets()[:, -1:], store.spec.horizon, axis=1)
    assert mse(store, predict(network, store, "test"), "test") < 0.5 * mse(store, last, "test")
    losses = history.epochs["val_loss"]
    assert history.best_epoch == int(np.argmin(losses)) + 1
    assert history.best_val_loss == min(losses)
    validation = mse(store, predict(network, store, "validation"), "validation")
    np.testing.assert_allclose(validation, history.best_val_loss, rtol=1e-4)


def test_every_epoch_is_recorded_and_the_history_survives_json(trained: Any) -> None:
    history, network, ear, config = trained
    run = history.epochs_run
    assert [step for step, _ in ear.epochs] == list(range(1, run + 1))
    assert ear.done == [(n, config.epochs) for n in range(1, run + 1)]
    names = {n if n != "seconds" else "epoch_seconds" for n in SERIES}
    assert all(set(values) == names for _, values in ear.epochs)
    assert history.parameters == network.count_params()
    assert TrainingHistory.from_json(history.to_json()) == history


def test_same_seed_same_numbers_and_another_seed_others(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    config = LEARNING.model_copy(update={"epochs": 2})
    found = [fit(store, config, tmp_path / str(i), ear) for i in range(2)]
    other = fit(store, config.model_copy(update={"seed": 8}), tmp_path / "o", ear)
    for name in SERIES:
        if name != "seconds":
            assert found[0][0].epochs[name] == found[1][0].epochs[name]
    for a, b in zip(found[0][1].get_weights(), found[1][1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert other[0].epochs["loss"] != found[0][0].epochs["loss"]


def test_early_stopping_restores_the_best_epoch(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    config = LEARNING.model_copy(update={"patience": 1, "min_delta": 1e9, "epochs": 6})
    history, network = fit(store, config, tmp_path, ear)
    # The first epoch falls from infinity; then nothing falls by 1e9.
    assert (history.epochs_run, history.stopped) == (2, "patience")
    validation = mse(store, predict(network, store, "validation"), "validation")
    np.testing.assert_allclose(validation, min(history.epochs["val_loss"]), rtol=1e-4)


def test_a_loss_that_explodes_stops_with_words(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    config = TrainConfig(epochs=3, optimizer="sgd", learning_rate=1e30, clip=None)
    with pytest.raises(FailedRunError, match=r"(?s)epoch 1.*step \d.*Last finite.*learning_rate"):
        fit(store, config, tmp_path, ear)
    assert not list(tmp_path.iterdir())


def test_splits_without_windows_or_labels_are_refused(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    none = {**store.origins, "validation": np.zeros(0, np.int64)}
    with pytest.raises(BadInputError, match="validation split has no window"):
        fit(replace(store, origins=none), LEARNING, tmp_path, ear)
    observed = store.observed.copy()
    observed[270:] = False
    with pytest.raises(BadInputError, match="not one observed label"):
        fit(replace(store, observed=observed), LEARNING, tmp_path, ear)


def test_half_precision_takes_the_scale_out_of_the_norm(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    whole = TrainConfig(
        epochs=1,
        batch_size=64,
        learning_rate=1e-3,
        clip=ClipConfig(value=0.1),
        gradient_flow=UNPROBED,
    )
    half = whole.model_copy(update={"precision": "mixed_float16"})
    store = replace(store, values=store.values * np.float32(1000))  # float16 ends at 65,504
    full, _ = fit(store, whole, tmp_path / "a", ear, PLAIN)
    found, network = fit(store, half, tmp_path / "b", ear, PLAIN)
    assert network.layers[-1].compute_dtype is not None
    assert any("mixed_float16" in text for text in ear.warnings)
    for name in ("loss", "val_loss", "gradient_norm", "clipped_share"):
        np.testing.assert_allclose(found.epochs[name], full.epochs[name], rtol=0.03)
