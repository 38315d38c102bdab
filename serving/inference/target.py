"""`Target`: what a request asks for, and the kinds of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Target:
    """Which version and signature of which model a request names.

    Attributes:
        name: The model.
        version: The version; None for the newest that is available, or the one with `label`.
        label: A name given to a version.
        signature: Empty for `serving_default`.
    """

    name: str
    version: int | None = None
    label: str | None = None
    signature: str = ""


@dataclass(frozen=True)
class Prediction:
    """The answer to predict: arrays by output name, and who gave it."""

    outputs: dict[str, np.ndarray[Any, Any]]
    name: str
    version: int
    signature: str


@dataclass(frozen=True)
class Classification:
    """The answer to classify: (label, score) pairs for each example.

    A label is empty where the model gives scores only, a score 0 where it gives labels only.
    """

    results: list[list[tuple[str, float]]]
    name: str
    version: int
    signature: str


@dataclass(frozen=True)
class Regression:
    """The answer to regress: one value for each example."""

    values: list[float]
    name: str
    version: int
    signature: str


@dataclass(frozen=True)
class Metadata:
    """The answer to GetModelMetadata: the SignatureDef protos by name."""

    name: str
    version: int
    signature_defs: dict[str, Any]
