"""`assigned`: names for versions, given only to versions that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from serving.engine.settings import ServedModel
from serving.status import Code, ServingError

Labels = Mapping[str, Mapping[str, int]]


def assigned(
    models: Iterable[ServedModel],
    before: Labels,
    *,
    available: Callable[[str, int], bool],
    before_versions: bool,
) -> dict[str, dict[str, int]]:
    """The labels of `models`, by model, as TF Serving's rules allow them.

    Args:
        models: With the labels that are asked for.
        before: The labels until now.
        available: Whether a version of a model is.
        before_versions: Whether a label may be given to a version that is not available: if it is
            new, or stays where it is. Moving a label to such a version would break who uses it.

    Raises:
        ServingError: FAILED_PRECONDITION if a label may not be given.
    """
    labels: dict[str, dict[str, int]] = {}
    for model in models:
        for label, version in model.labels.items():
            moved = before.get(model.name, {}).get(label, version) != version
            if not available(model.name, version) and (moved or not before_versions):
                raise ServingError(
                    Code.FAILED_PRECONDITION,
                    f"Request to assign label to version {version} of model {model.name}, which "
                    "is not currently available for inference",
                )
            labels.setdefault(model.name, {})[label] = version
    return labels
