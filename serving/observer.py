"""`Observer`: who hears what the server does. The layers know this protocol, not the metrics."""

from __future__ import annotations

from typing import Protocol

from serving.status import Code


class Observer(Protocol):
    """Hears of requests, batches and versions; every method returns at once and never raises."""

    def request(
        self, *, model: str, method: str, protocol: str, code: Code, seconds: float
    ) -> None:
        """A request ended.

        Args:
            model: Name of the model asked for.
            method: Predict, Classify, Regress, MultiInference, GetModelMetadata or GetModelStatus.
            protocol: `grpc` or `rest`.
            code: How it ended.
            seconds: From the arrival of its first byte to the answer.
        """

    def model_call(self, *, model: str, version: int, seconds: float, rows: int) -> None:
        """TensorFlow ran a signature once, for `rows` rows (0 if the inputs have no batch axis)."""

    def batch(self, *, model: str, rows: int, requests: int, waited: float) -> None:
        """A batch of `requests` requests was run; the oldest waited `waited` seconds."""

    def queue(self, *, model: str, waiting: int) -> None:
        """How many requests wait for a batch now."""

    def version(self, *, model: str, version: int, state: str, seconds: float | None) -> None:
        """A version changed its state (LOADING, AVAILABLE, ...); `seconds` it took to load."""


class Silent:
    """An observer that keeps nothing."""

    def request(
        self, *, model: str, method: str, protocol: str, code: Code, seconds: float
    ) -> None:
        """Keeps nothing."""

    def model_call(self, *, model: str, version: int, seconds: float, rows: int) -> None:
        """Keeps nothing."""

    def batch(self, *, model: str, rows: int, requests: int, waited: float) -> None:
        """Keeps nothing."""

    def queue(self, *, model: str, waiting: int) -> None:
        """Keeps nothing."""

    def version(self, *, model: str, version: int, state: str, seconds: float | None) -> None:
        """Keeps nothing."""
