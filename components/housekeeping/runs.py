"""Which runs are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """What the workspace's runs.jsonl says of a run.

    Attributes:
        finished: Whether it came to its end.
        pushed: The version that it pushed, or None.
    """

    finished: bool
    pushed: int | None = None


def kept_runs(
    runs: Sequence[str],
    ended: Mapping[str, Ended],
    versions: Collection[int],
    pushed: Mapping[int, str],
    keep: int,
) -> frozenset[str]:
    """Ids of the runs whose artifacts stay.

    The newest `keep` runs; the newest `keep` that finished, which the next run re-uses even after
    many that failed; and those that pushed a version which is still in the model directory, live,
    kept or rolled back.

    Args:
        runs: Ids of all runs, oldest first.
        ended: By run, how it ended; killed runs are missing.
        versions: Those in the model directory.
        pushed: By version, the run that pushed it, as ML Metadata has it.
        keep: At least 1.
    """
    known = Ended(finished=False)
    finished = [run for run in runs if ended.get(run, known).finished]
    pushers = {run for run in runs if ended.get(run, known).pushed in set(versions)}
    pushers |= {run for version, run in pushed.items() if version in versions}
    return frozenset({*runs[-keep:], *finished[-keep:], *pushers})
