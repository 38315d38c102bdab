"""`baselines.json`, written after everything else: a folder that holds it is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import FailedRunError

FORMAT = 1
MARKER = "baselines.json"


def write_marker(
    folder: Path,
    counts: Mapping[str, Any],
    facts: Mapping[str, Mapping[str, Any]],
    seconds: Mapping[str, float],
    refusals: Mapping[str, str],
) -> None:
    """Writes `baselines.json` in one step.

    Args:
        folder: Of the artifact.
        counts: What was forecast or predicted, by name.
        facts: By baseline, what was fitted.
        seconds: By baseline, how long it took.
        refusals: By baseline, why it cannot be served, where that is so.
    """
    entries = {
        name: {"seconds": seconds[name], "facts": facts[name], "refusal": refusals.get(name)}
        for name in facts
    }
    content = {"format": FORMAT, **counts, "baselines": entries}
    part = folder / f"{MARKER}.part"
    text = json.dumps(content, indent=1, ensure_ascii=False)
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(folder / MARKER)


def read_marker(folder: Path) -> dict[str, Any]:
    """What `write_marker` wrote: the counts, and `facts`, `seconds` and `refusals` by baseline.

    Raises:
        FailedRunError: If `folder` holds no finished baselines, or those of another format.
    """
    try:
        content = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FailedRunError(
            f"{folder} holds no finished baselines ({MARKER} is missing): run the pipeline again"
        ) from None
    found = content.pop("format")
    if found != FORMAT:
        raise FailedRunError(
            f"{folder}: baselines of format {found}, expected {FORMAT}: run the pipeline again"
        )
    entries = content.pop("baselines")
    return {
        **content,
        "facts": {name: entry["facts"] for name, entry in entries.items()},
        "seconds": {name: entry["seconds"] for name, entry in entries.items()},
        "refusals": {n: entry["refusal"] for n, entry in entries.items() if entry["refusal"]},
    }


def model_of(folder: Path, name: str) -> Path:
    """Folder of the exported model of a baseline."""
    return folder / "models" / name
