"""Which champion a candidate has to beat, as the backtest's parameter."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.runner.ledger import LedgerEntry


def champion_parameter(live: tuple[int, Path, str] | None, same_work: LedgerEntry | None) -> str:
    """JSON `{"version", "path", "digest"}` of the champion, or empty when there is none.

    The parameter is part of the backtest's cache key. A run that pushed its model has made itself
    the champion; were the next, identical run to be given that champion, its backtest and all
    that follows would run again, only to compare a model with itself. So a run that does the same
    work as an earlier one, with nothing pushed or rolled back in between, is given the champion
    that the earlier one was given.

    Args:
        live: Version, folder and model digest of the serving model, or None.
        same_work: The newest finished run with the same key, or None.
    """
    if same_work is not None and same_work.live == (live[0] if live else None):
        former = same_work.champion
        if not former or Path(json.loads(former)["path"]).is_dir():
            return former
    if live is None:
        return ""
    version, path, digest = live
    return json.dumps({"version": version, "path": str(path), "digest": digest}, sort_keys=True)
