"""`Prepared`: a request that was found to fit a version, ready to be run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from serving.engine.call import Call
from serving.engine.servable import Array, Servable

T = TypeVar("T")


@dataclass(frozen=True)
class Prepared(Generic[T]):
    """A request for one servable.

    Attributes:
        call: What to run on it.
        finish: Makes the answer of the call's values; raises `ServingError` if they are not what
            the signature promises.
    """

    call: Call
    finish: Callable[[list[Array]], T]

    def answer(self, servable: Servable) -> T:
        """The answer, by a run of its own in this thread."""
        return self.finish(self.call.run(servable))
