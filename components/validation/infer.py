"""A schema from statistics: what TFDV infers, with room for data that is a little different."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

ALWAYS = ("time", "series")
"""Columns that ingestion always fills."""
ROOM = 0.9
"""Share of the observed presence that later data must have."""


def relax(schema: Schema, statistics: Sequence[DatasetFeatureStatisticsList]) -> None:
    """Sets the presence of every column from what was observed, and opens the list of series.

    A column that was there in `p` of the rows of its emptiest split must be there in `0.9 p` of
    the rows from now on. Series may come and go.

    Args:
        schema: An inferred schema; changed in place.
        statistics: The statistics of each split.
    """
    observed: dict[str, float] = {}
    for split in statistics:
        for dataset in split.datasets:
            for feature in dataset.features:
                name = feature.path.step[0] if feature.path.step else feature.name
                kind = feature.WhichOneof("stats")
                if kind is None or not dataset.num_examples:
                    continue
                present = getattr(feature, kind).common_stats.num_non_missing
                share = present / dataset.num_examples
                observed[name] = min(observed.get(name, 1.0), share)
    for feature in schema.feature:
        share = observed.get(feature.name, 0.0)
        feature.presence.Clear()
        feature.presence.min_count = 1
        feature.presence.min_fraction = 1.0 if feature.name in ALWAYS else round(ROOM * share, 6)
        # Exactly one value where there is one; a fixed shape would allow no missing values.
        feature.ClearField("shape")
        feature.value_count.min = feature.value_count.max = 1
        if feature.name in ALWAYS:
            if feature.WhichOneof("domain_info") == "domain":
                names = [domain.name for domain in schema.string_domain]
                if feature.domain in names:
                    del schema.string_domain[names.index(feature.domain)]
            which = feature.WhichOneof("domain_info")
            if which is not None:
                feature.ClearField(which)
