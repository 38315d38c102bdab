"""FFNN: a feed-forward network on the same windows, without recurrence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.baselines.features import FlatFeatures
from models.baselines.protocol import Predictions, finite
from models.windows.view import WindowView

BATCH = 64
CHUNK = 4096
EPOCH_WINDOWS = 32_768
"""Windows drawn per epoch at most: a baseline must not take longer than the model."""
VALIDATION_WINDOWS = 8_192
PATIENCE = 3


class Ffnn:
    """Dense layers from the whole window to the whole horizon of all targets at once.

    Mean squared error in train standard deviations, Adam at 1e-3, early stopping on the
    validation windows with the best weights restored. Labels that were not observed do not
    count. TensorFlow is imported when it is fitted.

    Args:
        units: Width of each hidden layer; none makes the model linear.
        epochs: Most epochs.
        seed: Seed of the initial weights and of the order of windows.
    """

    name = "ffnn"

    def __init__(self, units: tuple[int, ...] = (64,), epochs: int = 20, seed: int = 7) -> None:
        self.units = units
        self.epochs = epochs
        self.seed = seed
        self._facts: dict[str, Any] = {}
        self._model: Any = None
        self._features: FlatFeatures | None = None

    def fit(self, train: WindowView, validation: WindowView | None) -> None:
        """Trains on the train windows."""
        import keras

        features = FlatFeatures.of(train.store)
        some = train.take(np.arange(min(1, len(train)))).gather()
        model = keras.Sequential(
            [keras.Input((features.inputs(some).shape[1],)), *self._layers(train)]
        )
        model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=_observed_mse)
        stop = []
        held: Any = None
        if validation is not None and len(validation):
            number = min(len(validation), VALIDATION_WINDOWS)
            index = np.linspace(0, len(validation) - 1, number).round().astype(np.int64)
            batch = validation.take(index).gather()
            labels = features.outputs(batch)
            if not np.isnan(labels).all():
                held = (features.inputs(batch), labels)
                stop = [keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)]
        history = model.fit(
            _batches(train, features, self.seed),
            epochs=self.epochs,
            validation_data=held,
            validation_batch_size=CHUNK,
            callbacks=stop,
            shuffle=False,
            verbose=0,
        ).history
        self._model, self._features = model, features
        losses = history.get("val_loss", history["loss"])
        best = float(np.min(losses))
        self._facts = {
            "units": list(self.units),
            "parameters": int(model.count_params()),
            "epochs": len(losses),
            "best_epoch": int(np.argmin(losses)) + 1,
            "best_loss": best if math.isfinite(best) else None,
            "stopped_on": "validation" if held is not None else "epochs",
            "windows_per_epoch": min(len(train), EPOCH_WINDOWS),
            "seed": self.seed,
        }

    def predict(self, view: WindowView) -> Predictions:
        """Forecasts, float32 `[windows, horizon, targets]`."""
        features, store = self.features, view.store
        shape = (len(view), store.spec.horizon, len(store.roles.targets))
        result = np.empty(shape, np.float32)
        for start, batch in zip(range(0, len(view), CHUNK), view.batches(CHUNK), strict=True):
            outputs = self._model.predict_on_batch(features.inputs(batch))
            ahead = features.natural(batch, np.asarray(outputs))
            result[start : start + len(ahead)] = finite(ahead)
        return result

    @property
    def features(self) -> FlatFeatures:
        """What the network reads.

        Raises:
            RuntimeError: If it was not fitted.
        """
        if self._features is None:
            raise RuntimeError("the ffnn baseline was not fitted")
        return self._features

    @property
    def layers(self) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
        """Kernel `[in, out]` and bias `[out]` of each layer, the first one first."""
        return [tuple(layer.get_weights()) for layer in self._model.layers]

    def describe(self) -> dict[str, Any]:
        """`units`, `parameters`, `epochs`, `best_epoch`, `best_loss` (squared error in train
        standard deviations), `stopped_on`, `windows_per_epoch`, `seed`.
        """
        return dict(self._facts)

    def _layers(self, train: WindowView) -> list[Any]:
        import keras

        outputs = train.store.spec.horizon * len(train.store.roles.targets)
        hidden = [
            keras.layers.Dense(
                width,
                activation="relu",
                kernel_initializer=keras.initializers.GlorotUniform(seed=self.seed + i),
                dtype="float32",
            )
            for i, width in enumerate(self.units)
        ]
        # Zero weights start it at the naive forecast, which is hard to beat early on.
        return [*hidden, keras.layers.Dense(outputs, kernel_initializer="zeros", dtype="float32")]


def _observed_mse(labels: Any, outputs: Any) -> Any:
    from keras import ops

    seen = ops.logical_not(ops.isnan(labels))
    errors = ops.where(seen, ops.square(ops.where(seen, labels, outputs) - outputs), 0.0)
    number = ops.maximum(ops.sum(ops.cast(seen, "float32"), axis=-1), 1.0)
    return ops.sum(errors, axis=-1) / number


def _batches(train: WindowView, features: FlatFeatures, seed: int) -> Any:
    import keras

    class Batches(keras.utils.PyDataset):
        """Windows gathered batch by batch, in a new order each epoch."""

        def __init__(self) -> None:
            super().__init__()
            self._random = np.random.default_rng(seed)
            self.on_epoch_end()

        def __len__(self) -> int:
            return math.ceil(len(self._order) / BATCH)

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            chosen = self._order[index * BATCH : (index + 1) * BATCH]
            batch = train.take(chosen).gather()
            return features.inputs(batch), features.outputs(batch)

        def on_epoch_end(self) -> None:
            self._order = self._random.permutation(len(train))[:EPOCH_WINDOWS]

    return Batches()
