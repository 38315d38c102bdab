"""`FlowWatch`: measures gradient flow while a training runs, and warns."""

from __future__ import annotations

import keras
import numpy as np

from models.export.feed import batch_feed
from models.export.saved_model import text_inputs
from models.training.gradient_flow.config import GradientFlowConfig
from models.training.gradient_flow.flow import GradientFlow
from models.training.gradient_flow.probe import FlowProbe, has_states
from models.training.history import TrainingHistory
from models.training.listener import Listener
from models.training.losses import LabelLoss
from models.windows.view import WindowView

CANDIDATES = 8
"""Windows looked at for every one that is used: some may have no observed label."""


class FlowWatch:
    """What `config` asks for on one training, nothing if it is off.

    Args:
        network: In training.
        train: Windows to choose the probe batch from: `config.windows` of those that have an
            observed label, spread evenly.
        loss: Of the training.
        config: When and on how many windows.
        listener: Hears warnings.
    """

    def __init__(
        self,
        network: keras.Model,
        train: WindowView,
        loss: LabelLoss,
        config: GradientFlowConfig,
        listener: Listener,
    ) -> None:
        self._every = config.every
        self._listener = listener
        self._exploded = False
        self._probe = None
        if config.every and has_states(network):
            self._probe = _probe(network, train, loss, config.windows)
            if self._probe is None:
                listener.warn(
                    f"gradient flow is not measured: none of {len(train)} train windows looked at "
                    "has an observed label"
                )

    def after_epoch(self, epoch: int, last: bool, history: TrainingHistory) -> None:
        """Measures if it is time to, and adds the result to `history`.

        Args:
            epoch: Finished epochs.
            last: Whether the training ends here.
            history: Of the training.
        """
        if self._probe is None or not (epoch == 1 or epoch % self._every == 0 or last):
            return
        flow = self._probe.measure(epoch)
        history.gradient_flow.append(flow.to_json())
        text = flow.exploding()
        if text is not None and not self._exploded:
            self._exploded = True
            self._listener.warn(text)

    def after_training(self, history: TrainingHistory) -> None:
        """Warns if, as last measured, gradients vanish within what the network reads."""
        if history.gradient_flow:
            text = GradientFlow.from_json(history.gradient_flow[-1]).vanishing()
            if text is not None:
                self._listener.warn(text)


def _probe(
    network: keras.Model, train: WindowView, loss: LabelLoss, windows: int
) -> FlowProbe | None:
    labelled = train.take(_spread(len(train), CANDIDATES * windows))
    seen = np.isfinite(labelled.labels()).any(axis=(1, 2))
    labelled = labelled.take(np.flatnonzero(seen))
    if len(labelled) == 0:
        return None
    store = train.store
    batch = labelled.take(_spread(len(labelled), windows)).gather()
    labels = {name: batch.labels[..., i] for i, name in enumerate(store.roles.targets)}
    feed = batch_feed(batch, store.spec, store.roles, text_inputs(network))
    return FlowProbe(network, feed, labels, loss)


def _spread(n: int, most: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers below `n`, at most `most` of them, spread evenly."""
    if n <= most:
        return np.arange(n)
    return np.linspace(0, n - 1, most).round().astype(np.int64)
