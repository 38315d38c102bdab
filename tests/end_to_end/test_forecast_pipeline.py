"""The whole pipeline on real data: run, run again, break it, push again, roll back."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.monitor.reference import Reference
from components.push.registry import SERVING_VERSION
from models.errors import DataAnomalyError
from tests.end_to_end.small_pipeline import elman, ledger, versions, write_config, write_data

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("forecast")
    write_data(path)
    write_config(path)
    return path


@pytest.fixture(scope="module")
def first(folder: Path) -> dict[str, Any]:
    """The first run, from the command line as a person types it."""
    done = elman("run", "co2.yaml", "--json", "--require-blessed", cwd=folder)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def client(folder: Path, first: dict[str, Any]) -> Any:
    import mlflow

    assert first["mlflow_uri"] == f"sqlite:///{folder / 'work' / 'mlflow' / 'mlflow.db'}"
    return mlflow.MlflowClient(first["mlflow_uri"], first["mlflow_uri"])


def run_again(folder: Path, **options: Any) -> Any:
    from pipeline.config import load
    from pipeline.runner.run import run_pipeline

    return run_pipeline(load(folder / "co2.yaml"), terminal=io.StringIO(), **options)


def executions_that_run(folder: Path) -> int:
    with sqlite3.connect(folder / "work" / "metadata.db") as database:
        [count] = database.execute(
            "select count(*) from Execution where last_known_state in (1, 2)"  # NEW, RUNNING
        ).fetchone()
    return int(count)


def champion(client: Any) -> int:
    """The serving version of the model that the registry calls champion."""
    return int(client.get_model_version_by_alias("co2", "champion").tags[SERVING_VERSION])


def test_the_first_run_blesses_and_pushes(folder: Path, first: dict[str, Any]) -> None:
    assert first["blessed"]
    assert first["push"]["pushed"]
    assert versions(folder) == [first["push"]["version"]] == [first["live"]]
    assert not any(node["cached"] for node in first["nodes"])
    model = Path(first["push"]["directory"]) / str(first["live"])
    assert (model / "saved_model.pb").is_file()
    about = json.loads((model / "assets.extra" / "elman.json").read_text())
    assert about["spec"] == {"lookback": 52, "horizon": 8, "stride": 1, "gap": 0}
    kept = Reference.load(model)
    assert kept is not None
    assert kept.facts.backtest.metrics["mae"] == first["models"]["candidate"]["mae"]
    trained = [f"{np.datetime64(second, 's')}Z" for second in kept.facts.train]
    assert trained == about["train_range"]
    rows = sum(kept.profile.total()["co2"])
    assert 0.6 < rows / first["data"]["rows"] < 0.8
    assert (folder / "co2.schema.pbtxt").is_file()
    assert first["models"]["candidate"]["mae"] < first["models"]["seasonal_naive"]["mae"]


def test_windows_are_counted_as_defined(first: dict[str, Any]) -> None:
    from statsmodels.datasets import co2

    weeks = len(co2.load_pandas().data.loc["1974":])
    test = validation = int(weeks * 0.15)
    train = weeks - validation - test
    # No hole since 1974 is longer than gaps.max, so there is one stretch.
    expected = {"train": train - 52 - 8 + 1, "validation": validation - 7, "test": test - 7}
    for split, count in expected.items():
        assert abs(first["windows"][split] - count) <= 1, (split, first["windows"], expected)


def test_tracking_tells_the_run(first: dict[str, Any], client: Any) -> None:
    parent = client.get_run(first["mlflow_run_id"])
    assert parent.info.status == "FINISHED"
    assert parent.data.params["model.cell"] == "gru"
    assert parent.data.params["train.seed"] == "7"
    assert parent.data.tags["elman.verdict"] == "blessed"
    assert parent.data.metrics["test/mae"] == pytest.approx(first["models"]["candidate"]["mae"])
    curve = client.get_metric_history(first["mlflow_run_id"], "by_epoch/val_loss")
    assert [m.step for m in curve] == [1, 2, 3]
    assert "report.html" in {item.path for item in client.list_artifacts(first["mlflow_run_id"])}
    report = Path(first["report"]).read_text()
    assert report.index(first["summary"]) < report.index('<section id="models">')
    for section in ("horizon", "forecasts", "data", "windows", "training", "lineage"):
        assert f'<section id="{section}">' in report
    assert parent.inputs.dataset_inputs[0].dataset.digest == first["data"]["digest"][:36]
    for node in first["nodes"]:
        assert parent.data.tags[f"elman.execution.{node['node']}"] == str(node["execution_id"])
    nested = {
        run.data.tags["elman.component"]: run
        for run in client.search_runs(
            [parent.info.experiment_id],
            f"tags.`mlflow.parentRunId` = '{first['mlflow_run_id']}'",
        )
    }
    assert {run.info.status for run in nested.values()} == {"FINISHED"}
    train = nested["train"].info.run_id
    for name in ("loss", "val_loss", "gradient_norm", "clipped_share"):
        assert [m.step for m in client.get_metric_history(train, name)] in ([0, 1, 2], [1, 2, 3])

    def files(run_id: str, path: str | None = None) -> Iterator[str]:
        for item in client.list_artifacts(run_id, path):
            yield from files(run_id, item.path) if item.is_dir else (item.path,)

    assert sum(f.endswith(".png") for f in files(train)) >= 2
    assert sum(f.endswith(".png") for f in files(nested["backtest"].info.run_id)) >= 3


def test_the_registered_champion_gives_the_numbers_of_the_saved_model(
    first: dict[str, Any], client: Any
) -> None:
    import mlflow
    import pandas as pd
    import tensorflow as tf

    assert client.get_model_version_by_alias("co2", "champion").status == "READY"
    mlflow.set_tracking_uri(first["mlflow_uri"])
    mlflow.set_registry_uri(first["mlflow_uri"])
    champion = mlflow.pyfunc.load_model("models:/co2@champion")
    rng = np.random.default_rng(0)
    values = (350 + rng.normal(size=(5, 52)).cumsum(axis=1)).astype(np.float32)
    time = np.arange(5, dtype=np.int64) * 604_800 + 883_612_800
    table = pd.DataFrame({"co2": [list(map(float, v)) for v in values], "time": time})
    answer = np.stack(champion.predict(table)["co2"].to_list())
    folder = Path(first["push"]["directory"]) / str(first["live"])
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    direct = serve(co2=tf.constant(values), time=tf.constant(time))["co2"].numpy()
    np.testing.assert_allclose(answer, direct, rtol=1e-6)


def test_a_run_with_nothing_new_ends_at_once_and_says_so(
    folder: Path, first: dict[str, Any]
) -> None:
    done = elman("run", "co2.yaml", "--json", "--if-new", cwd=folder)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["status"] == "nothing_new"
    assert said["earlier"] == first["run_id"]
    assert said["verdict"] == first["summary"]
    assert said["live"] == first["live"]
    assert [entry["status"] for entry in ledger(folder)] == ["finished", "nothing_new"]
    assert not (folder / "work" / "logs" / f"{said['run_id']}.log").exists()


def test_an_identical_run_re_uses_everything(folder: Path, first: dict[str, Any]) -> None:
    again = run_again(folder)
    assert [n.node for n in again.nodes if not n.cached] == ["push"]
    assert not again.push.pushed
    assert again.live == first["live"]
    assert again.models["candidate"] == first["models"]["candidate"]
    assert versions(folder) == [first["live"]]


def test_data_that_breaks_the_schema_stops_before_training(
    folder: Path, first: dict[str, Any], client: Any
) -> None:
    def mostly_missing(table: Any) -> Any:
        table.iloc[100:700, 0] = np.nan
        return table

    before = (folder / "co2.csv").read_bytes()
    write_data(folder, value=mostly_missing)
    try:
        with pytest.raises(DataAnomalyError, match="co2") as caught:
            run_again(folder)
    finally:
        (folder / "co2.csv").write_bytes(before)
    assert any(column == "co2" for column, _, _ in caught.value.anomalies)
    assert versions(folder) == [first["live"]]
    last = ledger(folder)[-1]
    assert last["status"] == "failed"
    blocked = client.get_run(last["mlflow_run_id"])
    assert blocked.info.status == "FAILED"
    assert blocked.data.tags["elman.verdict"] == "blocked"
    report = (folder / "work" / "reports" / f"{last['run_id']}.html").read_text()
    assert "Blocked in validate" in report
    assert executions_that_run(folder) == 0


def test_a_second_version_a_rollback_and_no_third_by_itself(
    folder: Path, first: dict[str, Any], client: Any
) -> None:
    write_config(folder, train__seed=8, train__epochs=4, gate__champion=False)
    second = run_again(folder)
    assert second.push.pushed
    assert versions(folder) == [first["live"], second.live]
    cached = {n.node for n in second.nodes if n.cached}
    assert {"ingest", "statistics", "schema", "validate", "windows", "baselines"} <= cached
    assert champion(client) == second.live

    done = elman("rollback", "co2.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert versions(folder) == [first["live"]]
    assert champion(client) == first["live"]
    shown = elman("status", "co2.yaml", cwd=folder)
    assert shown.returncode == 0, shown.stderr
    assert str(first["live"]) in shown.stdout
    assert "rolled back" in shown.stdout

    third = run_again(folder)
    assert not third.push.pushed
    assert "rolled back" in third.push.reason
    assert versions(folder) == [first["live"]]
    forced = run_again(folder, force=True)
    assert forced.push.pushed
    assert forced.live is not None
    assert second.live is not None
    assert forced.live > second.live


@pytest.mark.nightly
def test_a_refused_model_is_a_normal_end_unless_asked_otherwise(
    folder: Path, first: dict[str, Any]
) -> None:
    live = versions(folder)[-1]
    write_config(folder, gate__margin=0.99)
    done = elman("run", "co2.yaml", "--require-blessed", cwd=folder)
    assert done.returncode == 1, done.stderr
    assert "Not blessed" in done.stdout
    assert "Traceback" not in done.stderr
    assert versions(folder)[-1] == live
