"""`Traffic`: how many requests are in work, and whether the server is about to stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Traffic:
    """Lives in the event loop's thread.

    Attributes:
        inside: Requests in work now, by protocol.
        closing: Whether the server is about to stop; REST then asks clients to hang up.
    """

    def __init__(self) -> None:
        self.inside = Counter(grpc=0, rest=0)
        self.closing = False

    @contextmanager
    def counted(self, protocol: str) -> Iterator[None]:
        """Counts a request as long as the context is open."""
        self.inside[protocol] += 1
        try:
            yield
        finally:
            self.inside[protocol] -= 1
