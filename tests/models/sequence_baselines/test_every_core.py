from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from models.sequence_baselines.config import SequenceBaselinesConfig, fitting_names
from models.sequence_baselines.registry import REGISTRY, build
from models.sequences.core import SequenceCore

CONFIG = SequenceBaselinesConfig(hmm_states=3, hmm_iterations=15)


@pytest.fixture(scope="module")
def cores(store):
    found = {}
    for name in fitting_names(store.spec):
        baseline = build(name, CONFIG)
        found[name] = baseline.fit(store.view("train"), store.view("validation"))
        assert baseline.name == name
        assert json.dumps(baseline.describe())
        assert isinstance(found[name], SequenceCore)
    return found


def arrays(store):
    batch = store.view("test").batch()
    return batch.numbers, tuple(batch.tokens[c] for c in store.spec.inputs.tokens), batch.length


def run(core, numbers, tokens, length):
    return core(tf.constant(numbers), tuple(map(tf.constant, tokens)), tf.constant(length)).numpy()


def test_logits_are_log_probabilities(store, cores):
    numbers, tokens, length = arrays(store)
    shape = numbers.shape[:1] if store.spec.task == "classify" else numbers.shape[:2]
    for name, core in cores.items():
        logits = run(core, numbers, tokens, length)
        assert logits.dtype == np.float32, name
        assert logits.shape == (*shape, len(store.classes)), name
        assert np.isfinite(logits).all(), name
        np.testing.assert_allclose(np.exp(logits).sum(axis=-1), 1.0, atol=1e-4, err_msg=name)


def test_neither_padding_nor_other_rows_change_a_result(store, cores):
    numbers, tokens, length = arrays(store)
    rubbish = np.random.default_rng(1).integers(0, 4, (len(length), numbers.shape[1] + 3))
    inside = np.arange(rubbish.shape[1]) < length[:, None]
    wide = np.where(inside[..., None], np.pad(numbers, ((0, 0), (0, 3), (0, 0))), np.nan)
    wide = wide.astype(np.float32)
    dirty = tuple(
        np.where(inside, np.pad(ids, ((0, 0), (0, 3))), rubbish).astype(np.int32) for ids in tokens
    )
    whole = store.spec.task == "classify"
    for name, core in cores.items():
        together = run(core, numbers, tokens, length)
        padded = run(core, wide, dirty, length)
        for row in range(0, len(length), 9):
            n = length[row]
            alone = run(
                core,
                numbers[row : row + 1, :n],
                tuple(ids[row : row + 1, :n] for ids in tokens),
                length[row : row + 1],
            )[0]
            cut = (row,) if whole else (row, slice(n))
            np.testing.assert_allclose(together[cut], alone, atol=1e-5, err_msg=name)
            np.testing.assert_allclose(padded[cut], alone, atol=1e-5, err_msg=name)


def test_step_by_step_is_the_same_model(store, cores):
    numbers, tokens, length = arrays(store)
    for name, core in cores.items():
        stepper = core.stepper()
        if isinstance(stepper, str):
            assert (name, store.spec.task) == ("hmm", "tag")
            continue
        whole = run(core, numbers, tokens, length)
        state = stepper.init(tf.constant(len(length)))
        for t in range(numbers.shape[1]):
            for key, shape in stepper.state.items():
                assert state[key].dtype == tf.float32
                assert state[key].shape == (len(length), *shape)
            step = tuple(tf.constant(ids[:, t]) for ids in tokens)
            logits, state = stepper.step(tf.constant(numbers[:, t]), step, state)
            if store.spec.task == "classify":
                now = length == t + 1
                np.testing.assert_allclose(logits[now], whole[now], atol=1e-4, err_msg=name)
            else:
                now = length > t
                np.testing.assert_allclose(logits[now], whole[now, t], atol=1e-4, err_msg=name)


def test_every_core_learns_something_that_the_majority_does_not_know(store, cores):
    numbers, tokens, length = arrays(store)
    labels = store.view("test").batch().labels
    # How probable a symbol is that was hardly ever seen says little about what was learned.
    known = labels >= (1 if store.spec.task == "next_step" else 0)

    def log_loss(core):
        logits = run(core, numbers, tokens, length)[known]
        return -np.take_along_axis(logits, labels[known][:, None], axis=-1).mean()

    for name in cores.keys() - {"majority"}:
        assert log_loss(cores[name]) < log_loss(cores["majority"]) - 0.05, name


def test_all_names_have_a_baseline(store):
    assert set(fitting_names(store.spec)) <= set(REGISTRY)
