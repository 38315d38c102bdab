"""Anomalies that TFDV found, in words."""

from __future__ import annotations

from pathlib import Path

from components.tracking.recorder import current
from models.errors import DataAnomalyError

FILE = "SchemaDiff.pb"


def read_anomalies(folder: Path) -> list[tuple[str, str, str]]:
    """All anomalies in an ExampleAnomalies artifact as (column, short, description).

    The description begins with the split. What holds for the whole data set has the column "".
    """
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    found = []
    for path in sorted(folder.glob(f"Split-*/{FILE}")):
        split = path.parent.name.removeprefix("Split-")
        anomalies = anomalies_pb2.Anomalies.FromString(path.read_bytes())
        infos = sorted(anomalies.anomaly_info.items())
        if anomalies.HasField("dataset_anomaly_info"):
            infos.append(("", anomalies.dataset_anomaly_info))
        for column, info in infos:
            reasons = [(r.short_description, r.description) for r in info.reason]
            for short, description in reasons or [(info.short_description, info.description)]:
                found.append((column, short, f"{split}: {description}"))
    return found


def raise_anomalies(anomalies: list[tuple[str, str, str]], schema_file: Path) -> None:
    """Records the anomalies; raises if there are any.

    Raises:
        DataAnomalyError: With every anomaly and what to do.
    """
    recorder = current()
    recorder.metrics({"anomalies": len(anomalies)})
    recorder.tags({"data_valid": str(not anomalies).lower()})
    recorder.data(
        [{"column": c, "short": s, "description": d} for c, s, d in anomalies], "anomalies.json"
    )
    if not anomalies:
        return
    columns = sorted({column or "(data set)" for column, _, _ in anomalies})
    recorder.tags({"anomalous_columns": ", ".join(columns)})
    lines = [f"  {column or 'data set'}: {short} ({text})" for column, short, text in anomalies]
    raise DataAnomalyError(
        "\n".join(
            [
                f"the data breaks its schema ({len(anomalies)} "
                f"{'anomaly' if len(anomalies) == 1 else 'anomalies'}):",
                *lines,
                f"correct the data; or, if the data is right, edit {schema_file} "
                "(delete it to have it inferred again)",
            ]
        ),
        tuple(anomalies),
    )
