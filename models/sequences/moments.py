"""Moments of the number columns on the train split."""

from __future__ import annotations

import numpy as np

from models.features.scaling import Scaling
from models.sequences.view import SequenceView


def train_moments(train: SequenceView) -> Scaling:
    """Mean and population standard deviation of every number column over all steps of `train`.

    Args:
        train: The train split; its store keeps only finite numbers.

    Returns:
        Empty where there is no number column, or no step.
    """
    names = train.store.spec.inputs.numbers
    values = train.numbers()
    if not names or len(values) == 0:
        return Scaling(columns={})
    mean = values.mean(axis=0, dtype=np.float64)
    spread = values.std(axis=0, dtype=np.float64)
    return Scaling.of(
        {n: (float(m), float(s)) for n, m, s in zip(names, mean, spread, strict=True)}
    )
