"""Truncated BPTT against the textbook, against Keras cells step by step, and what it promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.errors import BadInputError
from models.export.streaming import Stepper
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.reference.bptt import bptt
from models.reference.elman import ElmanWeights
from models.roles import Covariates, Roles
from models.training import stream_course
from models.training.clipping import GradientRecord
from models.training.config import ClipConfig, ScheduleConfig, TrainConfig, TruncatedBptt
from models.training.gradient_flow.config import GradientFlowConfig
from models.training.history import SERIES
from models.training.losses import LabelLoss
from models.training.machine import training_machine
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from models.windows.streams import Chunks, Streams, steps_with_labels
from tests.models.training.conftest import Ear, waves
from tests.models.training.fitted import fit
from tests.stores import HOUR, make_store, scaling_of


def truncated(k: int, **rest: Any) -> TrainConfig:
    return TrainConfig(
        bptt=TruncatedBptt(truncated=k), gradient_flow=GradientFlowConfig(every=0), **rest
    )


def two_series(lengths: tuple[int, int] = (17, 11)) -> SeriesStore:
    """One step ahead, no covariates; a few labels were not observed, and nothing is scaled."""
    rng = np.random.default_rng(5)
    values = [rng.normal(size=n) for n in (lengths[0] + 9, lengths[1])]
    hidden = {0: (np.arange(len(values[0])) % 5 == 3)[:, None]}
    segments = [("a", 0, values[0]), ("b", lengths[0] - lengths[1], values[1])]
    cuts = (lengths[0], lengths[0] + 8, lengths[0] + 9)
    return make_store(segments, WindowSpec(lookback=3, horizon=1), cuts, hidden=hidden)


def built(store: SeriesStore, model: ModelConfig, scaling: Scaling) -> Any:
    return build_forecaster(
        spec=store.spec, roles=store.roles, model=model, scaling=scaling, frequency="h", seed=1
    )


def gradient_by_chunks(store: SeriesStore, model: ModelConfig, k: int, lanes: int) -> Any:
    """The network, and the sum over all chunks of the gradient of the summed squared error."""
    unit = Scaling.of({"y0": (0.0, 1.0)})
    network = built(store, model, unit)
    views = store.view("train"), store.view("validation")
    course = stream_course.stream_course(network, *views, truncated(k, batch_size=lanes, epochs=1))
    loss = LabelLoss("mse", unit, store.roles.targets)
    fitting = course.fitting(loss, GradientRecord(None, skips_overflow=False))
    weights, total = network.trainable_variables, None
    for inputs, labels in course.epochs(0):
        with tf.GradientTape() as tape:
            summed, _ = loss(labels, fitting(inputs, training=True))
        found = [tf.convert_to_tensor(g).numpy() for g in tape.gradient(summed, weights)]
        total = found if total is None else [a + b for a, b in zip(total, found, strict=True)]
    return network, total


def held(store: SeriesStore, first: int, steps: int) -> np.ndarray:
    """What a client has at each step: in a hole that was filled, the last observed value."""
    found: list[float] = []
    for row in range(first, first + steps):
        found.append(float(store.values[row, 0]) if store.observed[row, 0] else found[-1])
    return np.asarray(found)


@pytest.mark.parametrize(("k", "lanes"), [(1, 2), (3, 1), (8, 2), (16, 1), (99, 2)])
def test_the_gradient_is_that_of_the_textbook(k: int, lanes: int) -> None:
    """Of the chunks up to 8 steps it is the truncated one, from 16 on, their length, the full."""
    store = two_series()
    model = ModelConfig(cell="simple_rnn", units=(4,), normalize="none")
    network, total = gradient_by_chunks(store, model, k, lanes)
    by_name = {v.path.split("/", 1)[1]: v.numpy() for v in network.trainable_variables}
    names = list(by_name)
    cell = "simple_rnn_cell/"
    kernel, recurrent, bias = (cell + n for n in ("kernel", "recurrent_kernel", "bias"))
    weights = ElmanWeights(
        W_x=by_name[kernel],
        W_s=by_name[recurrent],
        b=by_name[bias],
        W_y=by_name["read_out/kernel"],
        b_y=by_name["read_out/bias"],
    )
    wanted = None
    for first, last in ((0, 17), (26, 37)):
        steps = last - first - 1
        x = held(store, first, steps)[None, :, None]
        d = store.values[first + 1 : last, 0][None, :, None]
        w = store.observed[first + 1 : last, 0][None, :].astype(float)
        found = bptt(weights, x, d, k=None if k >= 16 else k, w=w).weights
        parts = [found.W_x, found.W_s, found.b, found.W_y, found.b_y]
        wanted = parts if wanted is None else [a + b for a, b in zip(wanted, parts, strict=True)]
    order = [kernel, recurrent, bias, "read_out/kernel", "read_out/bias"]
    assert sorted(order) == sorted(names)
    assert wanted is not None
    for name, want in zip(order, wanted, strict=True):
        got = total[names.index(name)]
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())


def test_with_one_chunk_it_is_the_gradient_of_one_full_pass() -> None:
    """Of a stack of LSTMs, through whole series; the pass is Keras' own over the whole series."""
    import keras

    store = two_series()
    model = ModelConfig(cell="lstm", units=(4, 3), normalize="none")
    network, total = gradient_by_chunks(store, model, 40, 2)
    layers = [
        keras.layers.LSTM(4, return_sequences=True),
        keras.layers.LSTM(3, return_sequences=True),
        keras.layers.Dense(1),
    ]
    plain = keras.Sequential([keras.Input((None, 1)), *layers])
    plain.set_weights(network.get_weights())
    with tf.GradientTape() as tape:
        error = 0.0
        for first, last in ((0, 17), (26, 37)):
            y = plain(held(store, first, last - first - 1)[None, :, None].astype(np.float32))
            seen = store.observed[first + 1 : last, 0]
            moves = y[0, :, 0] - store.values[first + 1 : last, 0]
            error += tf.reduce_sum(tf.square(tf.boolean_mask(moves, seen)))
    for got, want in zip(total, tape.gradient(error, plain.trainable_variables), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())


ROLES = Roles(
    targets=("a", "b"),
    covariates=Covariates(
        past=("wind", "observed"), future=("price",), static=("area",), calendar=("hour_of_day",)
    ),
)
RICH = ModelConfig(cell="lstm", units=(3, 4), channels="shared", shortcut=True)


def rich_store() -> SeriesStore:
    """Three segments of two series, every kind of covariate but text, and holes."""
    rng = np.random.default_rng(2)
    segments = [
        (name, hour, 50 + rng.normal(size=(n, 4)).cumsum(axis=0))
        for name, hour, n in (("x", 0, 12), ("x", 15, 15), ("y", 3, 27))
    ]
    hidden = {2: rng.random((27, 4)) < 0.2}
    hidden[2][0] = False
    return make_store(
        segments,
        WindowSpec(lookback=5, horizon=2, gap=1, stride=2),
        (22, 28, 30),
        roles=ROLES,
        hidden=hidden,
        static={"area": (40.0, 60.0)},
    )


def columns_at(store: SeriesStore, row: int) -> dict[str, Any]:
    """One step as a client sends it."""
    held_values = []
    first = int(store.first_of(np.array([row]))[0])
    for column in range(4):
        reach = store.spec.reach if column == 3 else 0
        values = store.values[row : row + reach + 1, column].copy()
        end = row + reach
        known = end
        while known > first and not store.observed[known, column]:
            known -= 1
        for i in range(max(known, row) if known >= row else row, end + 1):
            values[i - row] = store.values[known, column]
        held_values.append(values)
    series = store.series_of(np.array([row]))
    return {
        "a": tf.constant(held_values[0]),
        "b": tf.constant(held_values[1]),
        "wind": tf.constant(held_values[2]),
        "price": tf.constant(held_values[3][None]),
        "observed": tf.constant([float(store.observed[row, :2].all())]),
        "area": tf.constant([store.static["area"][int(series[0])]], tf.float32),
        "time": tf.constant(store.time[row : row + 1]),
    }


def labels_at(store: SeriesStore, row: int) -> np.ndarray:
    rows = slice(row + 1 + store.spec.gap, row + store.spec.reach + 1)
    seen = np.where(store.observed[rows, :2], store.values[rows, :2], np.nan)
    return np.asarray(seen, np.float32)


def cells_of(store: SeriesStore, scaling: Scaling, out: Any, row: int) -> Any:
    """Squared errors in standard deviations of the observed labels of one forecast."""
    labels, found = labels_at(store, row), []
    for i, target in enumerate(store.roles.targets):
        seen = ~np.isnan(labels[:, i])
        moves = (tf.boolean_mask(out[target][0], seen) - labels[seen, i]) / scaling[target].scale
        found.append(tf.square(moves))
    return tf.concat(found, axis=0)


def by_hand(store: SeriesStore, config: TrainConfig, k: int) -> Any:
    """One epoch of clipped SGD and the validation after it, one step at a time."""
    scaling = scaling_of(store)
    scaling = Scaling.of({**{c: (m.mean, m.std) for c, m in scaling.columns.items()}, **AREA})
    network = built(store, RICH, scaling)
    stepper = Stepper(network, store.spec, ROLES, "h", ())
    step = tf.function(stepper.step)
    rng = np.random.Generator(np.random.PCG64([config.seed, 0]))
    rows = steps_with_labels(store, "train")
    chunks = Chunks.of(Streams.to(store, rows), config.batch_size, k, rng)
    states: list[Any] = [None] * chunks.lanes
    sums, norms = [], []
    assert config.clip is not None
    limit = config.clip.global_norm
    assert limit is not None
    for firsts, counts, fresh in zip(chunks.first, chunks.count, chunks.fresh, strict=True):
        with tf.GradientTape() as tape:
            errors = []
            for lane in range(chunks.lanes):
                if fresh[lane]:
                    states[lane] = stepper.init(tf.constant(1))
                state = {n: tf.constant(v.numpy()) for n, v in states[lane].items()}
                for row in range(int(firsts[lane]), int(firsts[lane] + counts[lane])):
                    out, state = step(columns_at(store, row), state)
                    errors.append(cells_of(store, scaling, out, row))
                states[lane] = state
            loss = tf.reduce_mean(tf.concat(errors, axis=0))
        gradients = [
            tf.convert_to_tensor(g).numpy()
            for g in tape.gradient(loss, network.trainable_variables)
        ]
        norms.append(float(np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients))))
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
            variable.assign_sub(config.learning_rate * min(1.0, limit / norms[-1]) * gradient)
        sums.append((float(loss), sum(int(e.shape[0]) for e in errors)))
    watched = set(store.origins["validation"].tolist())
    validation = []
    for _, first, steps in store.segments:
        state = stepper.init(tf.constant(1))
        for row in range(first, min(first + steps, max(watched) + 1)):
            if row + store.spec.reach >= first + steps:
                break
            out, state = step(columns_at(store, row), state)
            if row in watched:
                validation.append(cells_of(store, scaling, out, row).numpy())
    total = sum(loss * n for loss, n in sums) / sum(n for _, n in sums)
    return total, norms, float(np.concatenate(validation).mean()), network.get_weights(), scaling


AREA = {"area": (50.0, 10.0)}


def test_one_epoch_equals_a_loop_written_by_hand(
    tmp_path: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_course, "VALIDATION_STEPS", 11)
    store = rich_store()
    config = truncated(
        7,
        seed=1,
        epochs=1,
        batch_size=2,
        optimizer="sgd",
        learning_rate=0.1,
        clip=ClipConfig(global_norm=3.6),
    )
    loss, norms, val_loss, weights, scaling = by_hand(store, config, 7)
    history, network = fit(store, config, tmp_path, ear, RICH, scaling)
    assert min(norms) < 3.6 < max(norms), "the limit should lie among the norms"
    assert history.train_windows == len(steps_with_labels(store, "train"))
    epoch = history.at(1)
    np.testing.assert_allclose(epoch["loss"], loss, rtol=1e-4)
    np.testing.assert_allclose(epoch["gradient_norm"], np.mean(norms), rtol=1e-3)
    np.testing.assert_allclose(epoch["gradient_norm_max"], max(norms), rtol=1e-3)
    np.testing.assert_allclose(epoch["val_loss"], val_loss, rtol=1e-4)
    for got, want in zip(network.get_weights(), weights, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)


SMALL = ModelConfig(cell="simple_rnn", units=(5,), dropout=0.2, recurrent_dropout=0.1)
RESUMED = truncated(
    20,
    epochs=4,
    batch_size=2,
    learning_rate=0.01,
    min_delta=0.5,
    schedule=ScheduleConfig(kind="plateau", patience=1, warmup=0.5),
)


class Stop(Ear):
    """Ends the third epoch before it is written."""

    def metrics(self, values: Any, step: int | None = None) -> None:
        if step == 3:
            raise KeyboardInterrupt


def test_a_stopped_run_goes_on_as_if_nothing_had_happened(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    whole, network = fit(store, RESUMED, tmp_path / "whole", Ear(), SMALL)
    with pytest.raises(KeyboardInterrupt):
        fit(store, RESUMED, tmp_path / "stopped", Stop(), SMALL)
    again, continued = fit(store, RESUMED, tmp_path / "stopped", ear, SMALL)
    assert (whole.resumed_after, again.resumed_after) == (0, 2)
    for name in SERIES:
        if name != "seconds":
            assert again.epochs[name] == whole.epochs[name], name
    for a, b in zip(continued.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_half_precision_bears_values_that_do_not_fit_in_it() -> None:
    store = waves(rows=60)
    store = replace(store, values=store.values * np.float32(1000))  # up to 540,000
    store = replace(store, boundaries=(0, *(HOUR * h for h in (40, 50, 60))))
    store = replace(store, origins={**store.origins, "validation": np.array([45])})
    found = []
    for precision in ("float32", "mixed_float16"):
        config = truncated(15, precision=precision, epochs=1)
        with training_machine(config, Ear()):
            network = built(store, ModelConfig(cell="lstm", units=(6,)), scaling_of(store))
            views = store.view("train"), store.view("validation")
            course = stream_course.stream_course(network, *views, config)
            fitting = course.fitting(
                LabelLoss("mse", scaling_of(store), store.roles.targets),
                GradientRecord(None, skips_overflow=False),
            )
            losses = []
            for inputs, labels in course.epochs(0):
                summed, cells = fitting.label_loss(labels, fitting(inputs, training=True))
                losses.append(float(summed / cells))
        found.append(losses)
    assert len(found[0]) == 3
    np.testing.assert_allclose(found[1], found[0], rtol=0.01)
    assert found[1] != found[0]


@pytest.mark.parametrize("change", [{"bidirectional": True}, {"normalize": "window"}])
def test_networks_without_a_state_to_carry_are_refused(
    store: SeriesStore, tmp_path: Path, ear: Ear, change: dict[str, Any]
) -> None:
    model = ModelConfig(units=(3,), **change)
    with pytest.raises(BadInputError, match=f"bptt is truncated.*model.{next(iter(change))}"):
        fit(store, truncated(5), tmp_path, ear, model)


def test_splits_without_steps_or_labels_are_refused(
    store: SeriesStore, tmp_path: Path, ear: Ear
) -> None:
    none = {**store.origins, "validation": np.zeros(0, np.int64)}
    with pytest.raises(BadInputError, match="validation split has no step"):
        fit(replace(store, origins=none), truncated(5), tmp_path, ear)
    observed = store.observed.copy()
    observed[:285] = False
    unseen, scaling = replace(store, observed=observed), scaling_of(store)
    with pytest.raises(BadInputError, match=r"train split has 276 windows and not one observed"):
        fit(unseen, truncated(5), tmp_path, ear, scaling=scaling)
