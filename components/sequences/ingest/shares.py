"""Which split a sequence is in, by a hash of its id."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence


def by_hash(
    ids: Sequence[str], classes: Sequence[str | None], shares: Mapping[str, float], seed: int
) -> list[str]:
    """The split of each sequence: its share of every class, and the rest in `train`.

    Within a class sequences are put in the order of a hash of seed and id; the first are the
    first share, and so on. So which others there are matters only at the margins. A share of n
    sequences is rounded down or up by a hash of the class, so that the splits have their shares
    over many small classes too; one of each class stays in train.

    Args:
        ids: Ids of sequences, each once.
        classes: The class of each; None where the task does not classify.
        shares: Share by split; they leave something for train.
        seed: Of the hash.
    """
    members: dict[str | None, list[int]] = {}
    for i, name in enumerate(classes):
        members.setdefault(name, []).append(i)
    splits = ["train"] * len(ids)
    for name, listed in members.items():
        listed.sort(key=lambda i: (_hash(seed, "id", ids[i]), ids[i]))
        # In [0, 1); a class alone is rounded to the nearest.
        luck = 0.5 if name is None else _hash(seed, "class", name) / 2**64
        start, upto = 0, 0.0
        for split, share in shares.items():
            upto += share
            stop = min(int(upto * len(listed) + luck), len(listed) - 1)
            for i in listed[start:stop]:
                splits[i] = split
            start = max(start, stop)
    return splits


def _hash(seed: int, kind: str, name: str) -> int:
    digest = hashlib.blake2b(f"{seed}\0{kind}\0{name}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big")
