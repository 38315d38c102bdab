"""`LoadedForecaster`: an exported model, called the way a server calls it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.export.feed import Feed, batch_feed, history_suffices, view_feed
from models.export.metadata import carries_state, read_metadata, require_forecaster
from models.export.portable import exact_float32
from models.roles import OBSERVED, Roles
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from models.windows.view import WindowBatch, WindowView


class LoadedForecaster:
    """A SavedModel behind its `serving_default` signature, for scoring and batch prediction.

    Attributes:
        folder: Where it was loaded from.
        metadata: All of `elman.json`.
        spec: The model's own window.
        roles: The model's own columns.
        frequency: Step of the series it was trained on.

    Raises:
        BadInputError: If `folder` holds no forecaster that Elman exported, or it does not load.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        self.folder = folder
        self.metadata: dict[str, Any] = read_metadata(folder)
        require_forecaster(self.metadata, str(folder))
        self.spec = WindowSpec.model_validate(self.metadata["spec"])
        self.roles = Roles.model_validate(self.metadata["roles"])
        self.frequency: str = self.metadata["frequency"]
        self._text = tuple(self.metadata["text"])
        try:
            self._loaded = tf.saved_model.load(str(folder))  # Owns what the signature captures.
            self._signature = self._loaded.signatures["serving_default"]
        except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
            raise BadInputError(f"{folder} does not load as a SavedModel: {error}") from error

    def usable(self, view: WindowView) -> npt.NDArray[np.bool_]:
        """Which windows of `view` hold as much history as this model reads, [windows]."""
        return history_suffices(view, self.spec)

    def comparable(self, store: SeriesStore) -> str | None:
        """Why this model cannot be scored on windows of `store`; None if it can."""
        return comparable(self.metadata, store)

    def predict(self, view: WindowView, batch_size: int = 1024) -> npt.NDArray[np.float32]:
        """Forecasts for every window of `view`, in natural units.

        The view's store may have another lookback and other columns than the model.

        Args:
            view: Windows, each with enough history (`usable`).
            batch_size: Windows in one call; the result does not depend on it.

        Returns:
            float32 [windows, horizon, targets]; targets in the order of the view's store.

        Raises:
            BadInputError: If the windows are not comparable, or a window lacks history.
        """
        reason = self.comparable(view.store)
        if reason is not None:
            raise BadInputError(f"{self.folder} cannot forecast these windows: {reason}")
        targets = view.store.roles.targets
        result = np.empty((len(view), self.spec.horizon, len(targets)), np.float32)
        for start in range(0, len(view), batch_size):
            part = WindowView(view.store, view.origins[start : start + batch_size])
            feed = view_feed(part, self.spec, self.roles, self._text)
            result[start : start + len(part)] = self.forecast(feed, targets)
        return result

    @property
    def carries_state(self) -> bool:
        """Whether it was trained to read series from their start (truncated backpropagation)."""
        return carries_state(self.metadata)

    def predict_streaming(self, view: WindowView, lanes: int = 1024) -> npt.NDArray[np.float32]:
        """Forecasts for every origin of `view` by `stream_step`, in natural units.

        Each segment is read from its first step on with the state carried, as a client does that
        has streamed all of it; between origins nothing is forgotten.

        Args:
            view: Windows; how much history they have does not matter.
            lanes: Segments side by side; the result does not depend on it.

        Returns:
            float32 [windows, horizon, targets]; targets in the order of the view's store.

        Raises:
            BadInputError: If the windows are not comparable, or the model cannot stream.
        """
        from models.export.streamed import StreamedForecaster

        reason = self.comparable(view.store) or self.metadata["streaming_refusal"]
        if reason is not None:
            raise BadInputError(f"{self.folder} cannot stream these series: {reason}")
        streamed = StreamedForecaster(self._loaded.signatures, self.metadata)
        return streamed.predict(view, view.store.roles.targets, lanes)

    def predict_batch(self, batch: WindowBatch) -> npt.NDArray[np.float32]:
        """Forecasts float32 [windows, horizon, targets] for a batch gathered as the model wants.

        Raises:
            BadInputError: If a column has another length than the model's window.
            KeyError: If a column is missing.
        """
        return self.forecast(batch_feed(batch, self.spec, self.roles, self._text))

    def forecast(
        self, feed: Feed, targets: tuple[str, ...] | None = None
    ) -> npt.NDArray[np.float32]:
        """Forecasts float32 [windows, horizon, targets] from raw inputs by column.

        Args:
            feed: By input column, arrays in natural units.
            targets: Order of the last axis; by default the model's own.
        """
        import tensorflow as tf

        names = self.metadata["inputs"]
        tensors = {
            name: tf.constant(feed[column], tf.as_dtype(self.metadata["input_types"][column]))
            for column, name in names.items()
        }
        with exact_float32():
            outputs = self._signature(**tensors)
        order = self.roles.targets if targets is None else targets
        return np.stack([outputs[self.metadata["outputs"][t]].numpy() for t in order], axis=-1)


def comparable(metadata: Mapping[str, Any], store: SeriesStore) -> str | None:
    """Why the model of `metadata` cannot be scored on windows of `store`; None if it can.

    Another lookback, other covariates and another order of targets do no harm.
    """
    spec = WindowSpec.model_validate(metadata["spec"])
    roles = Roles.model_validate(metadata["roles"])
    for name in ("horizon", "gap"):
        has, wants = getattr(spec, name), getattr(store.spec, name)
        if has != wants:
            return f"its {name} is {has} steps, that of these windows {wants}"
    if _step(metadata["frequency"]) != _step(store.frequency):
        return f"its step is {metadata['frequency']}, that of these windows {store.frequency}"
    if set(roles.targets) != set(store.roles.targets):
        return f"it forecasts {list(roles.targets)}, these windows {list(store.roles.targets)}"
    c = roles.covariates
    for name in c.past:
        if name != OBSERVED and name not in store.roles.dynamic:
            return f"it needs the column {name!r}, which these windows do not have"
    for name in c.future:
        if name not in store.roles.covariates.future:
            return f"it needs the future of {name!r}, which is not a future covariate here"
    for name in c.static:
        if name not in store.static:
            return f"it needs the static covariate {name!r}, which these windows do not have"
        is_text = any(isinstance(v, str) for v in store.static[name])
        if is_text != (name in metadata["text"]):
            kinds = ("numbers", "text")
            return f"{name!r} is {kinds[is_text]} here and {kinds[not is_text]} to the model"
    return None


def _step(frequency: str) -> str:
    from pandas.tseries.frequencies import to_offset

    return str(to_offset(frequency).freqstr)
