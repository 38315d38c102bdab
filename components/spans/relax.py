"""What one span is held to, of the schema of all the data."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema

MOSTLY = 0.5


def for_spans(schema: Schema, statics: Collection[str]) -> None:
    """Changes a schema in place to what one span must fulfil.

    Types, domains and numbers of values stay. How many values may be missing is a matter of all
    spans together, which are checked too: a span must only not lack a column altogether that is
    there in most rows. Limits on the number of rows fall away, and
    static covariates, which are no part of a span's Examples.

    Args:
        schema: The kept schema.
        statics: Names of static covariates.
    """
    for index in reversed(range(len(schema.feature))):
        feature = schema.feature[index]
        if feature.name in statics:
            del schema.feature[index]
        elif feature.HasField("presence"):
            mostly = feature.presence.min_fraction >= MOSTLY
            feature.presence.Clear()
            if mostly:
                feature.presence.min_count = 1
    schema.ClearField("dataset_constraints")
