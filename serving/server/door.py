"""`Door`: who may come in, and how many at a time; the same for both protocols."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from serving.status import Code, ServingError


class Door:
    """Admits requests. Lives in the event loop's thread.

    Args:
        token: What requests must bring as bearer token; None: nothing.
        concurrent: Requests in work at the same time, of both protocols together.

    Attributes:
        closing: Whether the server is about to stop; REST then asks clients to hang up.
    """

    def __init__(self, token: str | None, concurrent: int) -> None:
        self._token = None if token is None else token.encode()
        self._concurrent = concurrent
        self._inside = 0
        self.closing = False

    @property
    def inside(self) -> int:
        """How many requests are in work now."""
        return self._inside

    def check(self, authorization: str | None) -> None:
        """Sees that a request brings the token.

        Args:
            authorization: The header `Authorization`, None if there is none.

        Raises:
            ServingError: UNAUTHENTICATED, if it does not.
        """
        if self._token is None:
            return
        scheme, _, given = (authorization or "").partition(" ")
        # In constant time, so that the time of a refusal does not tell how much was right.
        right = hmac.compare_digest(given.strip().encode(errors="replace"), self._token)
        if scheme.lower() != "bearer" or not right:
            raise ServingError(
                Code.UNAUTHENTICATED,
                "this server asks for a token: send the header Authorization: Bearer <token>",
            )

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Counts a request as long as the context is open.

        Raises:
            ServingError: RESOURCE_EXHAUSTED, if there are too many already.
        """
        if self._inside >= self._concurrent:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"{self._concurrent} requests are in work already; try again later",
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
