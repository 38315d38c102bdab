"""A schema from statistics: what TFDV infers, with room for data that is a little different."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

ALWAYS = ("time", "series")
"""Columns that ingestion always fills."""
ROOM = 0.9
"""Share of the observed presence that later data must have."""


def relax(
    schema: Schema,
    statistics: Sequence[DatasetFeatureStatisticsList],
    free: Collection[str] = (),
) -> None:
    """Sets the presence of every column from what was observed, and opens the list of series.

    A column that was there in `p` of the rows of its emptiest split must be there in `0.9 p` of
    the rows from now on. Series may come and go. A column with several values in a row may have
    any number of them from now on, but none.

    Args:
        schema: An inferred schema; changed in place.
        statistics: The statistics of each split.
        free: Columns whose values may be others each time, such as ids and words.
    """
    observed: dict[str, float] = {}
    several: set[str] = set()
    for split in statistics:
        for dataset in split.datasets:
            for feature in dataset.features:
                name = feature.path.step[0] if feature.path.step else feature.name
                kind = feature.WhichOneof("stats")
                if kind is None or not dataset.num_examples:
                    continue
                common = getattr(feature, kind).common_stats
                share = common.num_non_missing / dataset.num_examples
                if common.max_num_values > 1:
                    several.add(name)
                observed[name] = min(observed.get(name, 1.0), share)
    for feature in schema.feature:
        share = observed.get(feature.name, 0.0)
        feature.presence.Clear()
        feature.presence.min_count = 1
        feature.presence.min_fraction = 1.0 if feature.name in ALWAYS else round(ROOM * share, 6)
        # Exactly one value where there is one; a fixed shape would allow no missing values.
        feature.ClearField("shape")
        feature.value_count.min = 1
        if feature.name in several:
            feature.value_count.ClearField("max")
        else:
            feature.value_count.max = 1
        if feature.name in ALWAYS or feature.name in free:
            if feature.WhichOneof("domain_info") == "domain":
                names = [domain.name for domain in schema.string_domain]
                if feature.domain in names:
                    del schema.string_domain[names.index(feature.domain)]
            which = feature.WhichOneof("domain_info")
            if which is not None:
                feature.ClearField(which)
