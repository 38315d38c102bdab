"""The last result, for `tune.every_days`: values found for older data, used again for newer."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from components.tune.result import TuningResult

FILE = "latest.json"


def remember(result: TuningResult, best: dict[str, Any], key: str, folder: Path) -> None:
    """Keeps `result` in `folder` as the last one, by one rename.

    Args:
        result: Of a search made now.
        best: See `write_result`.
        key: From `space_digest`.
        folder: Made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{FILE}.part"
    data = {"key": key, "result": result.model_dump(mode="json"), "best": best}
    part.write_text(json.dumps(data) + "\n")
    part.replace(folder / FILE)


def remembered(
    key: str, folder: Path, *, now: datetime, days: float | None
) -> tuple[TuningResult, dict[str, Any]] | None:
    """The last result and its `best`, where it is of this space and not too old.

    Args:
        key: From `space_digest`.
        folder: As given to `remember`.
        now: With a time zone.
        days: It may be so old; None: it may not be used again.
    """
    if days is None:
        return None
    try:
        data = json.loads((folder / FILE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    if data["key"] != key:
        return None
    result = TuningResult.model_validate_json(json.dumps(data["result"]))
    if now - datetime.fromisoformat(result.finished) >= timedelta(days=days):
        return None
    return result.model_copy(update={"reused": True}), data["best"]
