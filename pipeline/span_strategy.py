"""`NewestGoodSpans`: which spans' Examples a run trains on, resolved from ML Metadata."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.types import standard_artifacts

from components.spans.executor import SETTINGS

CHECKED = "elman_checked"
"""Custom property of a span's Examples that passed its checks: 1. Set after the last of them."""


class NewestGoodSpans(ResolverStrategy):
    """The newest version of each good span in a range, ordered by span.

    Good is a span that was read as the configuration says now and that passed its checks. Of two
    artifacts of one version the newer one counts: its source was written again in place.
    """

    def __init__(self, first: int, last: int, settings: str) -> None:
        """Of the spans from `first` to `last`, both included.

        Args:
            first: Number of the first span.
            last: Number of the last span.
            settings: `Terms.settings` of the run.
        """
        self._first = first
        self._last = last
        self._settings = settings

    def resolve_artifacts(
        self,
        store: Any,  # noqa: ARG002
        input_dict: dict[str, list[standard_artifacts.Examples]],
    ) -> dict[str, list[standard_artifacts.Examples]] | None:
        """See `ResolverStrategy`; None, which ends the run, where a channel has no good span."""
        found = {key: self._newest(artifacts) for key, artifacts in input_dict.items()}
        return found if all(found.values()) else None

    def _newest(
        self, artifacts: list[standard_artifacts.Examples]
    ) -> list[standard_artifacts.Examples]:
        newest: dict[int, standard_artifacts.Examples] = {}
        for artifact in sorted(artifacts, key=lambda a: (a.span, a.version, a.id)):
            if self._first <= artifact.span <= self._last and self._is_good(artifact):
                newest[artifact.span] = artifact
        return list(newest.values())

    def _is_good(self, artifact: standard_artifacts.Examples) -> bool:
        return bool(
            artifact.get_string_custom_property(SETTINGS) == self._settings
            and artifact.get_int_custom_property(CHECKED) == 1
        )
