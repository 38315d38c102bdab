"""What a trial trains, and by which windows it is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.tune.candidate import Candidate
from components.tune.judging import judged_by
from components.tune.train_trial import TrainTrial
from components.tune.trial import Order
from models.errors import BadInputError, FailedRunError
from models.network.config import ModelConfig
from models.training.config import TrainConfig
from models.windows.spec import WindowSpec
from tests.stores import make_store, scaling_of

SPEC = WindowSpec(lookback=6, horizon=2)
BASE = Candidate(
    window=SPEC,
    model=ModelConfig(cell="simple_rnn", units=(3,)),
    train=TrainConfig(epochs=4, batch_size=16, learning_rate=0.01, patience=None),
)


def series(steps: int = 90) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.sin(np.arange(steps) / 3) + 0.1 * rng.normal(size=steps)


@pytest.fixture
def trial(tmp_path: Path) -> TrainTrial:
    store = make_store([("", 0, series())], SPEC, (60, 75, 90))
    store.save(tmp_path / "windows")
    return TrainTrial(
        windows=tmp_path / "windows",
        scaling=scaling_of(store).canonical_json(),
        base=BASE.canonical_json(),
        widest=10,
        folder=tmp_path / "search",
    )


def losses(trial: TrainTrial, order: Order) -> tuple[Any, list[float]]:
    heard: list[float] = []

    def say(epoch: int, values: Any) -> None:
        assert epoch == len(heard) + 1
        heard.append(values["val_loss"])

    return trial(order, say), heard


@pytest.mark.slow
def test_a_trial_goes_on_with_another_to_the_losses_of_one_that_did_not_stop(
    trial: TrainTrial,
) -> None:
    values = {"window.lookback": 8, "train.schedule.kind": "cosine"}
    result, whole = losses(trial, Order("0", values))
    assert (result.val_loss, result.best_epoch) == (min(whole), 1 + whole.index(min(whole)))
    assert (len(whole), result.epochs) == (4, 4)
    short, heard = losses(trial, Order("1", values, epochs=2))
    assert heard == whole[:2], "a schedule over fewer epochs, or another order of windows"
    assert short.val_loss == min(heard)
    longer, heard = losses(trial, Order("2", values, epochs=4, continues="1"))
    assert heard == whole
    assert longer.val_loss == result.val_loss
    trial.forget("2")
    assert not (trial.folder / "checkpoints" / "2").exists()
    with pytest.raises(BadInputError, match=r"model\.units"):
        trial(Order("3", {"model.units": [0]}), lambda *_: None)
    with pytest.raises(FailedRunError, match="not finite"):
        trial(
            Order("4", {"train.learning_rate": 1e30, "train.clip": None, "train.optimizer": "sgd"}),
            lambda *_: None,
        )


def test_all_lookbacks_are_judged_by_the_same_windows() -> None:
    # The hole leaves room for a short lookback in the validation split, but not for a long one.
    parts = [("", 0, series(63)), ("", 66, series(60))]
    base = SPEC.model_copy(update={"stride": 2})
    store = make_store(parts, base, (60, 100, 130))
    found = [
        judged_by(store, base, base.model_copy(update=changes), 12)
        for changes in ({"lookback": 2}, {"lookback": 12}, {"lookback": 6, "stride": 1})
    ]
    for one in found[1:]:
        np.testing.assert_array_equal(one.origins["validation"], found[0].origins["validation"])
    assert len(found[0].origins["validation"])
    counts = [len(one.origins["train"]) for one in found]
    assert counts[2] > counts[0] > counts[1]


def test_a_lookback_without_room_is_refused() -> None:
    store = make_store([("", 0, series())], SPEC, (60, 75, 90))
    with pytest.raises(BadInputError, match="validation split has room for a lookback of 80"):
        judged_by(store, SPEC, SPEC, 80)
    late = replace(store, boundaries=(0, 50 * 3600, 51 * 3600, 90 * 3600))
    with pytest.raises(BadInputError, match="validation split"):
        judged_by(late, SPEC, SPEC, 6)
