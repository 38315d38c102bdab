"""One small store and network for all tests of training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from tests.stores import make_store


class Ear:
    """Keeps what training says."""

    def __init__(self) -> None:
        self.epochs: list[tuple[int | None, dict[str, float]]] = []
        self.done: list[tuple[int, int]] = []
        self.warnings: list[str] = []

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        self.epochs.append((step, dict(values)))

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        self.done.append((done, total))

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def ear() -> Ear:
    return Ear()


def waves(rows: int = 420, hidden_share: float = 0.15) -> SeriesStore:
    """Two noisy waves in very different units, some of whose values were filled."""
    rng = np.random.default_rng(3)
    t = np.arange(rows)
    values = np.stack([np.sin(t / 4), 500 + 40 * np.cos(t / 6)], axis=1)
    values += rng.normal(size=values.shape) * values.std(axis=0) * 0.02
    hidden = rng.random(values.shape) < hidden_share
    hidden[0] = False
    spec = WindowSpec(lookback=10, horizon=4)
    return make_store([("", 0, values)], spec, (280, 350, 420), hidden={0: hidden})


@pytest.fixture(scope="session")
def store() -> SeriesStore:
    return waves()
