"""Pushes and rolls back in turns, until it is told to stop, in a process of its own.

    python -m benchmarks.load.churn BASE PERIOD MODEL...

Version `v` holds the model `(v - 1) mod models`. Prints a line of JSON for each change: what was
done, to which version, and which is live then.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from pathlib import Path

from components.push.repository import ModelRepository

KEEP = 3


def push(repository: ModelRepository, models: list[Path]) -> int:
    """Pushes the model of the next version, and gives its number."""
    version = repository.ledger().last_version + 1
    # Numbers count up by one when the clock stands still.
    done = repository.push(models[(version - 1) % len(models)], clock=lambda: 0.0, force=True)
    if done.version != version:
        raise RuntimeError(f"expected version {version}: {done.reason}")
    repository.retire(KEEP)
    return version


def main() -> None:
    """See the module."""
    base, period, *paths = sys.argv[1:]
    repository, models = ModelRepository(Path(base)), [Path(p) for p in paths]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    due = time.monotonic()
    turn = 0
    while not stop.is_set():
        turn += 1
        # Two pushes to a rollback: rolled back twice in a row, the first version would be reached.
        if turn % 3:
            done = {"pushed": push(repository, models)}
        else:
            done = {"rolled_back": repository.rollback().removed}
        print(json.dumps({**done, "live": repository.live()}), flush=True)
        due += float(period)
        stop.wait(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
