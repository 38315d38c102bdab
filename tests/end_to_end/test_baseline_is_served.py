"""A network that loses to a baseline: the baseline is blessed, pushed, registered and served."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from components.push.status import read_status
from pipeline.runner.result import RunResult
from tests.end_to_end.small_pipeline import ledger, versions, write_config, write_data

# In short: the bag of words of test_sequence_pipeline.py, and tests/models/export/baselines.
pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]
LEARNS_NOTHING: dict[str, Any] = {
    "model": {"cell": "simple_rnn", "units": [2], "normalize": "standard"},
    "baselines": {"names": ["naive", "ar"]},
    "gate": {"metric": "mae", "beats": ["ar"]},
    "train__epochs": 1,
    "train__learning_rate": 1e-6,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("baseline")
    write_data(path, value=lambda table: table.iloc[-500:])
    write_config(path, **LEARNS_NOTHING)
    return path


def run(folder: Path) -> Any:
    from pipeline.config import load
    from pipeline.runner.run import run_pipeline

    return run_pipeline(load(folder / "co2.yaml"), terminal=io.StringIO())


@pytest.fixture(scope="module")
def first(folder: Path) -> RunResult:
    result: RunResult = run(folder)
    return result


def test_the_baseline_is_pushed_and_everything_says_so(folder: Path, first: RunResult) -> None:
    assert first.models["ar"]["mae"] < first.models["candidate"]["mae"]
    assert (first.blessed, first.winner) == (True, "ar")
    assert first.summary.startswith("Blessed: the baseline ar, mae ")
    assert "the network was refused" in first.summary
    assert first.push.pushed
    assert versions(folder) == [first.live]
    model = Path(first.push.directory) / str(first.live)
    about = json.loads((model / "assets.extra" / "elman.json").read_text())
    assert about["baseline"] == "ar"
    assert about["run_id"] == first.mlflow_run_id
    [entry] = ledger(folder)
    assert (entry["winner"], entry["metrics"]) == ("ar", first.models["ar"])
    status = read_status(Path(first.push.directory), folder / "work")
    assert status.versions[0].model == "ar"
    assert status.versions[0].metrics["mae"] == first.models["ar"]["mae"]

    import mlflow

    client = mlflow.MlflowClient(first.mlflow_uri, first.mlflow_uri)
    registered = client.get_model_version_by_alias("co2", "champion")
    assert registered.tags["elman.model"] == "ar"
    assert registered.run_id == first.mlflow_run_id
    assert client.get_run(first.mlflow_run_id).data.tags["elman.winner"] == "ar"


def test_predict_forecasts_with_the_autoregression(folder: Path, first: RunResult) -> None:
    from pipeline.cli.predict import predict

    out = folder / "out.csv"
    given = [str(folder / "co2.yaml"), "--input", str(folder / "co2.csv"), "--output", str(out)]
    done = CliRunner().invoke(predict, given, standalone_mode=False)
    assert done.exception is None, done.exception
    got = pd.read_csv(out)
    # By hand: the coefficients that the run wrote down, on the last values of the file.
    [written] = (folder / "work" / "artifacts" / "baselines").rglob("baselines.json")
    facts = json.loads(written.read_text())["baselines"]["ar"]["facts"]["co2"]
    values = list(pd.read_csv(folder / "co2.csv")["co2"].dropna())
    for _ in range(8):
        lags = values[-1 : -1 - facts["order"] : -1]
        values.append(facts["intercept"] + float(np.dot(facts["coefficients"], lags)))
    np.testing.assert_allclose(got["co2"].to_numpy(), values[-8:], rtol=1e-5)


def test_the_next_network_that_loses_leaves_the_baseline_live(
    folder: Path, first: RunResult
) -> None:
    write_config(folder, **LEARNS_NOTHING, train__seed=11)
    again = run(folder)
    assert (again.winner, again.push.pushed, again.push.version) == ("ar", False, first.live)
    assert again.push.reason == f"already live as version {first.live}"
    assert any(f"is the champion (version {first.live}) already" in r for r in again.reasons)
    assert again.models["champion"]["mae"] == pytest.approx(again.models["ar"]["mae"], rel=1e-5)
    assert versions(folder) == [first.live]
