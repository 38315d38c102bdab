"""Length buckets: batches of sequences of about the same length. Needs no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
MOST = 8
"""Buckets: enough to leave little padding, few enough for shapes to come back."""
LEAST_BATCHES = 4
"""Whole batches in a bucket, on average: with fewer, the same sequences would always meet."""


@dataclass(frozen=True)
class Buckets:
    """How sequences are put together in batches.

    Attributes:
        lengths: int64 `[n]`: steps of each sequence.
        edges: int64, rising: every sequence is padded to the least edge that is not below its
            length.
        batch_size: Most sequences in a batch.
    """

    lengths: Ints
    edges: Ints
    batch_size: int

    @classmethod
    def of(cls, lengths: Ints, batch_size: int) -> Buckets:
        """Buckets with about as many steps in each, so that few long sequences get one.

        Args:
            lengths: int64 `[n]`, at least 1 each.
            batch_size: Most sequences in a batch.
        """
        count = int(np.clip(len(lengths) // (LEAST_BATCHES * batch_size), 1, MOST))
        ordered = np.sort(np.asarray(lengths, np.int64))
        steps = np.cumsum(ordered)
        shares = steps[-1] * np.arange(1, count + 1) / count
        edges = np.unique(ordered[np.searchsorted(steps, shares).clip(max=len(ordered) - 1)])
        return cls(np.asarray(lengths, np.int64), edges, batch_size)

    @property
    def batches(self) -> int:
        """Batches of an epoch: no more than if lengths did not matter."""
        return -(-len(self.lengths) // self.batch_size)

    def epoch(self, seed: int, epoch: int) -> tuple[Ints, Ints]:
        """The batches of one epoch, in their order; depends on `seed` and `epoch` alone.

        Each bucket is shuffled and cut into whole batches. What is left over of all buckets is
        put together in the order of buckets, so that only its batches mix lengths. Then the
        batches are shuffled.

        Returns:
            Sequences int64 `[batches, batch_size]`, each once, -1 where there is none; and the
            length that each batch is padded to, int64 `[batches]`.
        """
        rng = np.random.Generator(np.random.PCG64([seed, epoch]))
        shuffled = rng.permutation(len(self.lengths))
        bucket = np.searchsorted(self.edges, self.lengths[shuffled])
        whole, rest = [], []
        for index in range(len(self.edges)):
            members = shuffled[bucket == index]
            cut = len(members) - len(members) % self.batch_size
            whole.append(members[:cut])
            rest.append(members[cut:])
        flat = np.concatenate([*whole, *rest])
        table = np.full((self.batches, self.batch_size), -1, np.int64)
        table.ravel()[: len(flat)] = flat
        longest = np.where(table < 0, 0, self.lengths[table]).max(axis=1)
        order = rng.permutation(self.batches)
        return table[order], self.edges[np.searchsorted(self.edges, longest)][order]

    def in_order(self) -> tuple[Ints, Ints]:
        """All sequences once, the shortest first, as `epoch` returns them."""
        flat = np.argsort(self.lengths, kind="stable")
        table = np.full((self.batches, self.batch_size), -1, np.int64)
        table.ravel()[: len(flat)] = flat
        longest = np.where(table < 0, 0, self.lengths[table]).max(axis=1)
        return table, self.edges[np.searchsorted(self.edges, longest)]
