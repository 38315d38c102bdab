"""Requests to exactly one version of a model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.export.feed import Feed
from models.history.recipe import WindowRecipe
from serving.history.described import Described
from serving.transport.retry import Budget
from serving.transport.server import Server
from serving.transport.transport import Wanted

FORECAST = "serving_default"
MOST_VALUES = 1 << 20
"""Values in one request: 4 MiB in gRPC and about 20 MiB in JSON, well below a server's limit."""


def most_rows(values: int) -> int:
    """Rows of so many values each that one request may hold."""
    return max(1, MOST_VALUES // max(1, values))


def forecast(
    server: Server, described: Described, feed: Feed, budget: Budget
) -> npt.NDArray[np.float32]:
    """float32 `[windows, horizon, targets]` from inputs by column; in several requests if large.

    Raises:
        ServingError: If the server refuses or fails; NOT_FOUND if the version is gone.
    """
    wanted, outputs = Wanted(described.model, described.version), described.outputs
    tensors = described.tensors(feed)
    windows = len(next(iter(tensors.values())))
    size = most_rows(sum(array.size for array in tensors.values()) // max(1, windows))
    parts = []
    for start in range(0, windows, size):
        part = {name: array[start : start + size] for name, array in tensors.items()}
        answer = server.predict(wanted, FORECAST, part, outputs, budget)
        parts.append(np.stack([np.asarray(answer[name], np.float32) for name in outputs], axis=-1))
    return np.concatenate(parts)


class PinnedModel:
    """One version of a served model, with which all calls are made.

    Args:
        server: The server.
        described: The version, and what it says about itself.
        timeout: Seconds that a call may take.
    """

    def __init__(self, server: Server, described: Described, timeout: float) -> None:
        self._server, self._timeout = server, timeout
        self.described = described

    @property
    def recipe(self) -> WindowRecipe:
        """How its windows are made."""
        return self.described.recipe

    def forecast(self, feed: Feed) -> npt.NDArray[np.float32]:
        """Forecasts float32 [windows, horizon, targets] from inputs by column.

        Raises:
            BadInputError: If the server refuses the request, or no longer has the version.
            FailedRunError: If the server cannot be reached or fails.
        """
        with self._server.explained(Wanted(self.described.model, self.described.version)):
            return forecast(self._server, self.described, feed, Budget(self._timeout))
