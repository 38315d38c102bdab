"""`Transport`: what a client asks of a model server, in whichever protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Wanted:
    """Which servable: a model's version, or the one with a label, or the newest."""

    model: str
    version: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class ModelVersion:
    """A version that a server knows of.

    Attributes:
        version: Its number.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error: Why it is not served; empty if nothing is wrong.
    """

    version: int
    state: str
    error: str = ""


class Transport(Protocol):
    """One server. Methods may be called from several threads.

    Every method takes the seconds that it may last, and raises `serving.status.ServingError`:
    UNAVAILABLE if the server cannot be reached, DEADLINE_EXCEEDED if it takes too long.
    """

    def predict(
        self,
        wanted: Wanted,
        signature: str,
        inputs: Arrays,
        outputs: Sequence[str],
        timeout: float,
    ) -> dict[str, npt.NDArray[Any]]:
        """Calls a signature.

        Args:
            wanted: The servable.
            signature: Its name.
            inputs: By tensor; strings as object arrays of str or bytes.
            outputs: All outputs of the signature.
            timeout: Seconds.

        Returns:
            By output, numbers as an array of their own kind, strings as an object array of bytes
            or str.
        """

    def serving(self, wanted: Wanted, timeout: float) -> int:
        """The version that answers requests for `wanted` now."""

    def versions(self, model: str, timeout: float) -> list[ModelVersion]:
        """All versions of a model that the server knows of, newest first."""

    def close(self) -> None:
        """Closes connections."""
