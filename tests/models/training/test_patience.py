"""Patience against Keras' own EarlyStopping."""

from __future__ import annotations

from types import SimpleNamespace

import keras
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.patience import Patience


def stop_of_keras(losses: list[float], limit: int, min_delta: float) -> int | None:
    callback = keras.callbacks.EarlyStopping(
        monitor="val_loss", mode="min", patience=limit, min_delta=min_delta
    )
    callback.set_model(SimpleNamespace(stop_training=False, optimizer=None))
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if callback.model.stop_training:
            return epoch
    return None


# Eighths are exact in the float32 that Keras compares in.
losses = st.lists(st.integers(0, 12).map(lambda n: n / 8), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(losses, st.integers(1, 4), st.sampled_from([0.0, 0.125, 0.25]))
def test_stops_when_keras_does_also_when_interrupted(
    series: list[float], limit: int, min_delta: float
) -> None:
    patience = Patience(limit, min_delta)
    stop = None
    for epoch, loss in enumerate(series):
        again = Patience(limit, min_delta)
        again.restore(patience.state())  # as after a kill
        patience = again
        if patience.exhausted(loss):
            stop = epoch
            break
    assert stop == stop_of_keras(series, limit, min_delta)


def test_without_a_limit_it_never_runs_out() -> None:
    patience = Patience(None)
    assert not any(patience.exhausted(1.0) for _ in range(50))
    assert patience.wait == 49
