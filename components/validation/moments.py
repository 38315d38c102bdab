"""Mean and standard deviation of each column, from the statistics that TFX computed anyway."""

from __future__ import annotations

from pathlib import Path

from models.errors import FailedRunError
from models.features.scaling import Scaling

FILE = "FeatureStats.pb"
LEFT_OUT = ("time", "series")


def moments(statistics_artifact_dir: Path) -> Scaling:
    """Moments of every numeric column over the observed values of the train split.

    Args:
        statistics_artifact_dir: Folder of the ExampleStatistics artifact.

    Raises:
        FailedRunError: If there are no statistics of the train split.
    """
    from tensorflow_metadata.proto.v0 import statistics_pb2

    path = statistics_artifact_dir / "Split-train" / FILE
    if not path.exists():
        raise FailedRunError(f"{path} is missing: the statistics node did not finish")
    # The proto as it is: importing TFDV only to read it would cost a TensorFlow import.
    parsed = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    found: dict[str, tuple[float, float]] = {}
    for dataset in parsed.datasets:
        for feature in dataset.features:
            name = feature.path.step[0] if feature.path.step else feature.name
            if name in LEFT_OUT or not feature.HasField("num_stats"):
                continue
            if feature.num_stats.common_stats.num_non_missing:
                found[name] = (feature.num_stats.mean, feature.num_stats.std_dev)
    return Scaling.of(found)
