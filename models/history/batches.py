"""`Pool`: windows of many series put together into batches, by the gathering that training uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.export.feed import Feed, batch_feed
from models.history.piece import Piece
from models.history.recipe import WindowRecipe
from models.windows.store import SeriesStore
from models.windows.view import WindowView


@dataclass(frozen=True)
class Batch:
    """Windows ready for the model.

    Attributes:
        feed: The inputs, by column, `[windows, ...]`.
        series: By window, the series' id.
        origin: int64 `[windows]`, Unix seconds UTC.
    """

    feed: Feed
    series: list[str]
    origin: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.series)


class Pool:
    """Collects pieces and gives their windows, `size` at a time, in the order they came.

    Args:
        recipe: The model's.
        size: Windows of a batch; the last one before `flush` returns may have fewer.
    """

    def __init__(self, recipe: WindowRecipe, size: int) -> None:
        self._recipe, self._size = recipe, size
        self._pieces: list[Piece] = []
        self._statics: list[Mapping[str, Any]] = []
        self._waiting = 0

    def add(self, pieces: list[Piece], static: Mapping[str, Any]) -> Iterator[Batch]:
        """Takes pieces of one series with its static covariates, float or str by column."""
        for piece in pieces:
            self._pieces.append(piece)
            self._statics.append(static)
            self._waiting += len(piece.origins)
            if self._waiting >= self._size:
                yield from self._give(whole=True)

    def flush(self) -> Iterator[Batch]:
        """Gives what is left."""
        yield from self._give(whole=False)

    def _give(self, *, whole: bool) -> Iterator[Batch]:
        if not self._pieces:
            return
        store, origins = self._store()
        count = len(origins) // self._size * self._size if whole else len(origins)
        for start in range(0, count, self._size):
            rows = origins[start : min(start + self._size, count)]
            batch = WindowView(store, rows).gather()
            yield Batch(
                batch_feed(batch, self._recipe.spec, self._recipe.roles, self._recipe.text),
                [store.series[s] for s in batch.series],
                batch.time,
            )
        self._keep(len(origins) - count)

    def _keep(self, windows: int) -> None:
        """Keeps the last `windows` windows only; they are all of the last piece."""
        piece, static = self._pieces[-1], self._statics[-1]
        self._pieces, self._statics, self._waiting = [], [], windows
        if windows:
            kept = piece.origins[len(piece.origins) - windows :]
            low = max(0, int(kept[0]) - self._recipe.spec.lookback - self._recipe.data.gaps.max)
            self._pieces = [
                Piece(
                    piece.series,
                    piece.values[low:],
                    piece.observed[low:],
                    piece.time[low:],
                    kept - low,
                )
            ]
            self._statics = [static]

    def _store(self) -> tuple[SeriesStore, npt.NDArray[np.int64]]:
        """The pieces as segments of a store, each as if it were a series of its own."""
        recipe, pieces = self._recipe, self._pieces
        lengths = np.asarray([len(p.time) for p in pieces], np.int64)
        first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        store = SeriesStore(
            spec=recipe.spec,
            roles=recipe.roles,
            frequency=recipe.step.alias,
            values=np.concatenate([p.values for p in pieces]),
            observed=np.concatenate([p.observed for p in pieces]),
            time=np.concatenate([p.time for p in pieces]),
            segments=np.stack([np.arange(len(pieces)), first, lengths], axis=1),
            series=tuple(p.series for p in pieces),
            static={
                name: tuple(s[name] for s in self._statics)
                for name in recipe.roles.covariates.static
            },
            origins={},
            boundaries=(0, 0, 0, 0),
            fill=recipe.data.gaps.fill,
        )
        rows = [p.origins + f for p, f in zip(pieces, first, strict=True)]
        return store, np.concatenate(rows)
