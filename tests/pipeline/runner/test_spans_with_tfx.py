"""Spans in real TFX pipelines: what is new is ingested, what is old is re-used, as TFX names it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from components.ingest.config import DataConfig
from components.ingest.ingest import ingest
from components.ingest.report import IngestReport
from pipeline.config import load
from tests.end_to_end.small_pipeline import environment

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

CONFIG: dict[str, Any] = {
    "name": "p",
    "workspace": "work",
    "data": {
        "path": "data/{YYYY}-{MM}-{DD}.v{VERSION}.csv",
        "time": "t",
        "frequency": "h",
        "spans": {"keep": 4, "on_blocked": "skip"},
    },
    "targets": ["y"],
    "covariates": {"past": ["rain"]},
    "window": {"lookback": 4, "horizon": 2},
}
STRICT = {**CONFIG, "data": {**CONFIG["data"], "spans": {"keep": 4, "on_blocked": "stop"}}}
SCHEMA = """
feature { name: "time" type: INT presence { min_fraction: 1.0 min_count: 1 } value_count { min: 1 max: 1 } }
feature { name: "series" type: BYTES presence { min_fraction: 1.0 min_count: 1 } value_count { min: 1 max: 1 } }
feature { name: "y" type: FLOAT float_domain { max: 50 } presence { min_fraction: 0.9 min_count: 1 } value_count { min: 1 max: 1 } }
feature { name: "rain" type: FLOAT presence { min_fraction: 0.1 min_count: 1 } value_count { min: 1 max: 1 } }
"""  # noqa: E501


def day(number: int, value: float = 1.0) -> str:
    start = pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)
    times = pd.date_range(start, periods=24, freq="h")
    # It does not rain every day, and a fifth of the first day is missing.
    y = [None if number == 0 and h % 5 == 0 else value + h / 10 for h in range(24)]
    rain = [0.5 if number % 2 else None] * 24
    return str(pd.DataFrame({"t": times, "y": y, "rain": rain}).to_csv(index=False))


def file(number: int, version: int = 0) -> str:
    return f"data/{pd.Timestamp('2024-01-01') + pd.Timedelta(days=number):%Y-%m-%d}.v{version}.csv"


NIGHTS: list[dict[str, str | None]] = [
    {file(n): day(n) for n in range(3)},
    {"c.schema.pbtxt": SCHEMA, file(3): day(3), file(1, 2): day(1, 7.0)},
    {},
    {file(4): day(4, 49.0)},
    {"work/metadata.db": None, file(4, 1): day(4, 3.0)},
    {file(5): day(5), file(6): day(6), "kill": None},
    {},
    {file(7): day(7, 60.0), "c.yaml": yaml.safe_dump(STRICT)},
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spans")
    (path / "c.yaml").write_text(yaml.safe_dump(CONFIG))
    (path / "nights.json").write_text(json.dumps(NIGHTS))
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.runner.spans_run", str(path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return path


@pytest.fixture(scope="module")
def answers(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "answers.json").read_text())
    return found


def test_spans_and_versions_are_those_that_tfx_resolves(answers: dict[str, Any]) -> None:
    found = answers["resolution"]
    assert found["different"] == []
    assert found["same"] > 20
    assert found["refused"] >= 3


def one_file(root: Path, numbers: dict[int, float], folder: Path) -> IngestReport:
    """The same rows in one file, by ordinary ingestion."""
    text = "".join(
        day(n, value) if i == 0 else day(n, value).partition("\n")[2]
        for i, (n, value) in enumerate(numbers.items())
    )
    (folder / "all.csv").write_text(text)
    config = load(root / "c.yaml").forecast
    data = DataConfig(path="all.csv", time="t", frequency="h")
    return ingest(data, config.split, config.roles, folder, folder / "one")


@pytest.mark.parametrize(
    ("night", "held"),
    [
        (0, {0: 1.0, 1: 1.0, 2: 1.0}),
        (1, {0: 1.0, 1: 7.0, 2: 1.0, 3: 1.0}),
        (3, {1: 7.0, 2: 1.0, 3: 1.0}),
        (4, {1: 7.0, 2: 1.0, 3: 1.0, 4: 3.0}),
    ],
)
def test_every_night_trains_on_what_one_file_would_give(
    night: int, held: dict[int, float], root: Path, answers: dict[str, Any], tmp_path: Path
) -> None:
    examples = Path(answers["nights"][night]["ingest"]["outputs"]["examples"])
    found, expected = IngestReport.load(examples), one_file(root, held, tmp_path)
    assert found.digest == expected.digest
    assert found.boundaries == expected.boundaries
    assert found.split_rows == expected.split_rows
    for path in (tmp_path / "one").glob("Split-*/*.parquet"):
        assert (examples / path.relative_to(tmp_path / "one")).read_bytes() == path.read_bytes()


def test_only_new_and_corrected_spans_are_ingested(answers: dict[str, Any]) -> None:
    first, second, third, *_ = answers["nights"]
    assert first["summary"]["new"] == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert second["summary"]["new"] == ["2024-01-02", "2024-01-04"]
    corrected = str((pd.Timestamp("2024-01-02") - pd.Timestamp(0)).days)
    for number, uri in first["uris"].items():
        assert (second["uris"][number] == uri) == (number != corrected)
    assert not second["ingest"]["cached"]
    assert third["summary"]["new"] == []
    assert third["ingest"]["cached"]
    assert third["ingest"]["outputs"] == second["ingest"]["outputs"]


def test_a_span_that_breaks_the_schema_is_left_out(answers: dict[str, Any]) -> None:
    blocked = answers["nights"][3]
    assert [one["label"] for one in blocked["summary"]["blocked"]] == ["2024-01-05"]
    assert "y" in blocked["summary"]["blocked"][0]["reason"]
    assert blocked["summary"]["count"] == 3
    assert "left out, until it is corrected" in blocked["said"]


def test_a_lost_metadata_store_means_that_all_spans_are_new(answers: dict[str, Any]) -> None:
    assert answers["nights"][4]["summary"]["new_count"] == 4
    assert answers["nights"][4]["summary"]["blocked"] == []


def test_a_killed_run_goes_on_where_it_was(answers: dict[str, Any]) -> None:
    assert answers["nights"][5]["error"] == "killed"
    assert answers["nights"][6]["summary"]["new"] == ["2024-01-07"]
    assert answers["nights"][6]["summary"]["count"] == 4


def test_a_blocked_span_ends_the_run_where_it_shall(answers: dict[str, Any]) -> None:
    error = answers["nights"][7]["error"]
    assert error.startswith("span 2024-01-08 is blocked: the data breaks its schema")
    assert "nothing was trained; correct the span" in error


def test_artifacts_bear_the_numbers_that_tfx_gives_them(root: Path) -> None:
    with sqlite3.connect(root / "work" / "metadata.db") as database:
        found = database.execute(
            "SELECT a.id, p.name, p.int_value FROM Artifact a JOIN ArtifactProperty p "
            "ON p.artifact_id = a.id JOIN Type t ON t.id = a.type_id WHERE t.name = 'Examples' "
            "AND a.uri LIKE '%span_ingest%' AND p.name IN ('span', 'version') "
            "AND p.is_custom_property = 0"
        ).fetchall()
    artifacts: dict[int, dict[str, int]] = {}
    for artifact, name, value in found:
        artifacts.setdefault(artifact, {})[name] = value
    days = (pd.Timestamp("2024-01-01") - pd.Timestamp(0)).days
    assert sorted((a["span"] - days, a["version"]) for a in artifacts.values()) == [
        (1, 2), (2, 0), (3, 0), (4, 1), (5, 0), (6, 0), (7, 0),
    ]  # fmt: skip
