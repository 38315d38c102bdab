"""How far two distributions are apart: TFDV's comparators, on bins that the training rows fixed.

TFDV makes histograms of its own, between the smallest and the largest value of each data set, and
has to guess how values lie inside their bins when it lines two of them up. Given counts over the
same bins there is nothing to guess: the divergence is exactly that of the counts. TFDV is
imported when needed; whoever calls this has imported tfx before, which TFDV 1.16 asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from components.monitor.columns import ColumnBins

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

Counts = Mapping[str, npt.NDArray[np.int64]]
Measure = Literal["jensen_shannon", "l_infinity"]


def measure_of(bins: ColumnBins) -> Measure:
    """What a column is measured by."""
    return "l_infinity" if bins.is_text else "jensen_shannon"


class Comparator:
    """Measures how far counts over `columns` are apart; see `measure_of`."""

    def __init__(self, columns: Mapping[str, ColumnBins]) -> None:
        self._columns = columns
        self._schema = _schema(columns)

    def distances(self, reference: Counts, new: Counts) -> dict[str, float]:
        """Distance by column, 0 (equal shares) to 1 (nothing in common).

        Jensen-Shannon divergence (base 2, not its square root) of numbers, L-infinity norm of the
        difference of shares of texts. A column that is empty on one side is left out.

        Args:
            reference: By column, int64 `[bins]`.
            new: The same.
        """
        from tensorflow_data_validation import validate_statistics

        present = {
            name: bins
            for name, bins in self._columns.items()
            if name in new and name in reference and reference[name].sum() and new[name].sum()
        }
        if not present:
            return {}
        anomalies = validate_statistics(
            _statistics(present, new),
            self._schema,
            previous_statistics=_statistics(present, reference),
        )
        found: dict[str, float] = {}
        for info in anomalies.drift_skew_info:
            for measurement in info.drift_measurements:
                found[info.path.step[0]] = min(1.0, max(0.0, float(measurement.value)))
        return {name: found[name] for name in present if name in found}


def _schema(columns: Mapping[str, ColumnBins]) -> Schema:
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = schema_pb2.Schema()
    for name, bins in columns.items():
        feature = schema.feature.add(name=name)
        # Any threshold makes TFDV measure; what counts as far is decided elsewhere.
        if bins.is_text:
            feature.type = schema_pb2.BYTES
            feature.drift_comparator.infinity_norm.threshold = 0.0
        else:
            feature.type = schema_pb2.FLOAT
            feature.drift_comparator.jensen_shannon_divergence.threshold = 0.0
    return schema


def _statistics(columns: Mapping[str, ColumnBins], counts: Counts) -> DatasetFeatureStatisticsList:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    result = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = result.datasets.add(num_examples=max(int(counts[name].sum()) for name in columns))
    for name, bins in columns.items():
        feature = dataset.features.add()
        feature.path.step.append(name)
        if bins.is_text:
            feature.type = statistics_pb2.FeatureNameStatistics.STRING
            _common(feature.string_stats.common_stats, counts[name])
            for label, count in zip(bins.labels, counts[name].tolist(), strict=True):
                feature.string_stats.rank_histogram.buckets.add(label=label, sample_count=count)
            feature.string_stats.unique = bins.size
            continue
        feature.type = statistics_pb2.FeatureNameStatistics.FLOAT
        _common(feature.num_stats.common_stats, counts[name])
        histogram = feature.num_stats.histograms.add(type=statistics_pb2.Histogram.STANDARD)
        # Numbered, not by their bounds: the outer ones have none, and missing is no number.
        for i, count in enumerate(counts[name].tolist()):
            histogram.buckets.add(low_value=i, high_value=i + 1, sample_count=count)
    return result


def _common(common: Any, counts: npt.NDArray[np.int64]) -> None:
    total = int(counts.sum())
    common.num_non_missing = total
    common.tot_num_values = total
    common.min_num_values = common.max_num_values = 1
    common.avg_num_values = 1.0
