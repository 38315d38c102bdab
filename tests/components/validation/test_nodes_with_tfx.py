"""The real TFX executors, from a CSV to validated Examples, in one process for all steps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]

ROOT = Path(__file__).resolve().parents[3]


def table(rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "when": pd.date_range("2024-01-01", periods=rows, freq="h"),
                "id": name,
                "y": random.normal(100, 15, rows).round(3),
                "x": random.gamma(2, 3, rows).round(3),
                "kind": kind,
            }
        )
        for name, kind in (("a", "shop"), ("b", "depot"))
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[::17, "x"] = np.nan
    return frame


def text(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Path]:
    folder = tmp_path_factory.mktemp("nodes")
    frame = table()
    hollow = frame.copy()
    hollow.loc[::3, "y"] = np.nan
    retyped = frame.assign(kind=frame["kind"].map({"shop": 1, "depot": 2}))
    unknown = frame.assign(kind=frame["kind"].replace("shop", "market"))
    broken = text(frame).replace("2024-01-01 05:00:00,a,", "2024-01-01 05:00:00,a,bad", 1)
    schema = """
feature { name: "y" type: FLOAT value_count { min: 1 max: 1 } float_domain { min: 0 max: 101 } }
feature { name: "x" type: FLOAT value_count { min: 1 max: 1 } }
feature { name: "kind" type: BYTES value_count { min: 1 max: 1 } }
feature { name: "time" type: INT value_count { min: 1 max: 1 } }
feature { name: "series" type: BYTES value_count { min: 1 max: 1 } }
feature { name: "weather" type: FLOAT presence { min_fraction: 0.9 min_count: 1 } }
"""
    steps = [
        {"a.csv": text(frame)},
        {},
        {"a.csv": text(frame.sample(frac=1, random_state=0))},
        {"a.csv": text(hollow)},
        {"a.csv": text(retyped)},
        {"a.csv": text(unknown)},
        {"a.csv": text(unknown), "c.schema.pbtxt": None},
        {"a.csv": text(frame), "c.schema.pbtxt": schema},
        {"c.schema.pbtxt": "feature { nam"},
        {"c.schema.pbtxt": None, "a.csv": broken},
    ]
    (folder / "steps.json").write_text(json.dumps(steps))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("nodes_run.py")), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (folder / "answers.json").exists(), done.stderr[-4000:]
    return json.loads((folder / "answers.json").read_text()), folder


Answers = tuple[list[dict[str, Any]], Path]


def test_a_first_run_publishes_a_schema_and_a_second_one_reuses_all(answers: Answers) -> None:
    first, second = answers[0][:2]
    assert first["error"] is None
    assert first["published"]
    assert set(first["runs"].values()) == {1}
    assert second["error"] is None
    assert not second["published"]
    assert second["runs"] == first["runs"]


def test_moments_are_those_of_the_train_rows(answers: Answers) -> None:
    train = table().groupby("id").head(400 - 120)
    got = answers[0][0]["moments"]
    assert set(got) == {"y", "x"}
    for column in ("y", "x"):
        values = train[column].to_numpy(np.float32)
        values = values[~np.isnan(values)].astype(np.float64)
        assert got[column] == pytest.approx([values.mean(), values.std()], rel=1e-6)


def test_other_files_with_the_same_data_pass(answers: Answers) -> None:
    assert answers[0][2]["error"] is None
    assert answers[0][2]["runs"]["ingest"] == 2


@pytest.mark.parametrize(
    ("step", "column", "words"),
    [
        (3, "y", "fraction"),
        (4, "kind", "type"),
        (5, "kind", "market"),
    ],
)
def test_data_that_breaks_the_schema_stops(
    answers: Answers, step: int, column: str, words: str
) -> None:
    answer = answers[0][step]
    assert answer["error"], answer
    about = [f"{short} {long}" for name, short, long in answer["anomalies"] if name == column]
    assert any(words in line.lower() for line in about), answer["anomalies"]
    assert "c.schema.pbtxt" in answer["error"]


def test_a_deleted_schema_is_inferred_again(answers: Answers) -> None:
    answer = answers[0][6]
    assert answer["error"] is None
    assert answer["published"]


def test_an_edited_schema_is_obeyed(answers: Answers) -> None:
    answer = answers[0][7]
    columns = {column for column, _, _ in answer["anomalies"]}
    assert {"y", "weather"} <= columns
    assert "101" in answer["error"]


def test_a_broken_schema_is_named(answers: Answers) -> None:
    assert "no valid schema" in answers[0][8]["error"]


def test_bad_rows_leave_no_examples(answers: Answers) -> None:
    before, answer = answers[0][8:10]
    assert "unparseable number" in answer["error"]
    assert answer["finished"] == before["finished"]
    assert answer["parquet"] == 3 * before["finished"]
