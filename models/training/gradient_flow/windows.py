"""Windows that gradient flow is measured on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from models.export.feed import batch_feed
from models.export.saved_model import text_inputs
from models.training.gradient_flow.plan import CANDIDATES, ProbePlan, spread
from models.windows.view import WindowView


def window_plan(network: keras.Model, train: WindowView) -> ProbePlan:
    """Windows of `train` that have an observed label, spread evenly.

    Args:
        network: A forecaster, in training.
        train: Windows to choose from.
    """

    def batch(windows: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
        labelled = train.take(spread(len(train), CANDIDATES * windows))
        seen = np.isfinite(labelled.labels()).any(axis=(1, 2))
        labelled = labelled.take(np.flatnonzero(seen))
        if len(labelled) == 0:
            return None
        store = train.store
        chosen = labelled.take(spread(len(labelled), windows)).gather()
        labels = {name: chosen.labels[..., i] for i, name in enumerate(store.roles.targets)}
        return batch_feed(chosen, store.spec, store.roles, text_inputs(network)), labels

    return ProbePlan(batch, looked_at=f"{len(train)} train windows")
