"""`Call`: one run of a graph."""

from __future__ import annotations

from dataclasses import dataclass

from serving.engine.servable import Array, Arrays, Servable


@dataclass(frozen=True)
class Call:
    """What to run.

    Attributes:
        feeds: Arrays by the name of a tensor in the graph.
        fetches: Names of tensors in the graph.
        rows: Of the batch that all feeds share and all fetches are thought to have; None if there
            is no such thing, so that the call cannot share a run with others.
    """

    feeds: Arrays
    fetches: tuple[str, ...]
    rows: int | None

    def run(self, servable: Servable) -> list[Array]:
        """The values of the fetches, in their order; by itself, in this thread."""
        return servable.run_tensors(self.feeds, self.fetches)
