"""`Server`: a transport with retries, whose refusals and failures are told to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy.typing as npt

from models.errors import BadInputError, FailedRunError
from serving.status import Code, ServingError
from serving.transport.retry import Budget, Retry
from serving.transport.transport import Arrays, ModelVersion, Transport, Wanted

_CALLERS_FAULT = frozenset(
    {
        Code.INVALID_ARGUMENT,
        Code.NOT_FOUND,
        Code.FAILED_PRECONDITION,
        Code.OUT_OF_RANGE,
        Code.PERMISSION_DENIED,
        Code.UNAUTHENTICATED,
        Code.UNIMPLEMENTED,
    }
)
_HINT_SECONDS = 5.0


class Server:
    """A model server.

    Args:
        transport: How to reach it.
        retry: When to ask again.
        called: What messages call it.
    """

    def __init__(self, transport: Transport, retry: Retry, called: str) -> None:
        self._transport, self._retry, self._called = transport, retry, called

    def predict(
        self,
        wanted: Wanted,
        signature: str,
        inputs: Arrays,
        outputs: Sequence[str],
        budget: Budget,
    ) -> dict[str, npt.NDArray[Any]]:
        """Calls a signature; see `Transport.predict`."""
        return self._retry.call(
            lambda left: self._transport.predict(wanted, signature, inputs, outputs, left), budget
        )

    def serving(self, wanted: Wanted, budget: Budget) -> int:
        """The version that answers requests for `wanted` now."""
        return self._retry.call(lambda left: self._transport.serving(wanted, left), budget)

    def versions(self, model: str, budget: Budget) -> list[ModelVersion]:
        """All versions of a model that the server knows of, newest first."""
        return self._retry.call(lambda left: self._transport.versions(model, left), budget)

    def close(self) -> None:
        """Closes connections."""
        self._transport.close()

    @contextmanager
    def explained(self, wanted: Wanted) -> Iterator[None]:
        """Turns a `ServingError` about `wanted` into an error of ours.

        Raises:
            BadInputError: If the server refused: with its words, and with what it has where there
                is no such model, version or label.
            FailedRunError: If it failed or could not be reached.
        """
        try:
            yield
        except ServingError as error:
            said = f"{self._called}: {error.message}"
            if error.code not in _CALLERS_FAULT:
                raise FailedRunError(said) from error
            lacking = error.code is Code.NOT_FOUND or (
                wanted.label is not None and error.code is Code.INVALID_ARGUMENT
            )
            if lacking:
                said += f" ({self._has(wanted)})"
            elif error.code in (Code.UNAUTHENTICATED, Code.PERMISSION_DENIED):
                said += " (give the server's token)"
            raise BadInputError(said) from error

    def _has(self, wanted: Wanted) -> str:
        """What the server has instead of what is wanted."""
        try:
            found = self._transport.versions(wanted.model, _HINT_SECONDS)
        except ServingError:
            return f"the server has no model {wanted.model!r}; check its name and the endpoint"
        listed = ", ".join(f"{one.version} ({one.state})" for one in found)
        return f"of model {wanted.model!r} the server has the versions {listed or 'none'}"
