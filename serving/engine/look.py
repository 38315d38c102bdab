"""`look`: one look at a model's folder, and what should be served by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.engine.aspired import aspired
from serving.engine.completeness import Inspection, inspect
from serving.engine.settings import ServedModel
from serving.engine.source import versions_in


@dataclass(frozen=True)
class Known:
    """What is known of a version before the look.

    Attributes:
        loaded: Whether it is loaded, or about to be.
        broken: Whether it could not be loaded.
        inspection: The last one, if there was one.
    """

    loaded: bool = False
    broken: bool = False
    inspection: Inspection | None = None


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes:
        wanted: Folders of the versions that should be served, by version, newest first.
        inspections: Of those among them that are not loaded.
    """

    wanted: Mapping[int, Path]
    inspections: Mapping[int, Inspection]


def look(model: ServedModel, known: Mapping[tuple[int, Path], Known]) -> Look | None:
    """Looks at the folder of `model`; may take as long as its file system does.

    Args:
        model: Whose folder.
        known: By version and folder.

    Returns:
        None if there is no such folder, or it cannot be read.
    """
    found = versions_in(model.base_path)
    if found is None:
        return None
    inspections: dict[int, Inspection] = {}

    def good(version: int) -> bool:
        before = known.get((version, found[version]), Known())
        if before.loaded:
            return True
        if version not in inspections:
            inspections[version] = inspect(found[version], before.inspection)
        return not before.broken and inspections[version].missing is None

    wanted = aspired(model.policy, found, good)
    for version in wanted:
        good(version)
    return Look({version: found[version] for version in wanted}, inspections)
