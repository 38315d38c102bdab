"""The nodes `tune` and `tuned_windows`: their contract, and what their executors hand on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.types import channel, standard_artifacts

from components.artifacts import Windows
from components.train import executor as train_executor
from components.train.component import trainer
from components.train.executor import TrainExecutor
from components.tune import executor, remembered
from components.tune.candidate import Candidate
from components.tune.component import tuner
from components.tune.config import TuneConfig
from components.tune.executor import TuneExecutor
from components.tune.identity import KEPT
from components.tune.result import TuningResult, read_best, read_result, summary
from components.tune.tune import tune_forecaster
from components.tuned_windows.component import tuned_windows
from components.tuned_windows.executor import TunedWindowsExecutor
from models.errors import BadInputError
from models.network.config import ModelConfig
from models.training.config import TrainConfig
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from tests.components.tune.fake_runs import InProcess
from tests.stores import make_store

SPEC = WindowSpec(lookback=4, horizon=2)
BASE = Candidate(window=SPEC, model=ModelConfig(units=(8,)), train=TrainConfig(epochs=3))
SPACE = {
    "window.lookback": {"min": 2, "max": 10},
    "train.learning_rate": {"min": 1e-4, "max": 1.0, "scale": "log"},
    "model.units": [[4], [8, 8]],
}


def search(**changes: Any) -> TuneConfig:
    given = {"algorithm": "random", "space": SPACE, "max_trials": 4, **changes}
    return TuneConfig.model_validate(given)


def node(tune: TuneConfig) -> Any:
    statistics = channel.Channel(type=standard_artifacts.ExampleStatistics)
    return tuner(channel.Channel(type=Windows), statistics, base=BASE, tune=tune)


class Files:
    """Input artifacts on disk, and folders for outputs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = make_store([("", 0, np.arange(60.0))], SPEC, (30, 45, 60))
        self.store.save(folder / "windows")
        stats = statistics_pb2.DatasetFeatureStatisticsList()
        feature = stats.datasets.add(name="train").features.add()
        feature.path.step.append("y0")
        feature.num_stats.mean, feature.num_stats.std_dev = 14.5, 8.66
        feature.num_stats.common_stats.num_non_missing = 30
        (folder / "statistics/Split-train").mkdir(parents=True)
        path = folder / "statistics/Split-train/FeatureStats.pb"
        path.write_bytes(stats.SerializeToString())

    def artifact(self, kind: Any, where: str) -> dict[str, list[Any]]:
        made = kind()
        made.uri = str(self.folder / where)
        return {Path(where).parts[0]: [made]}

    @property
    def inputs(self) -> dict[str, list[Any]]:
        kind = standard_artifacts.ExampleStatistics
        return self.artifact(Windows, "windows") | self.artifact(kind, "statistics")

    def tuned(self, tune: TuneConfig, execution: int) -> Path:
        """Runs the executor of `tune`; the folder of its artifact."""
        out = self.folder / "tune" / "hyperparameters" / str(execution)
        artifact = standard_artifacts.HyperParameters()
        artifact.uri = str(out)
        TuneExecutor().Do(
            self.inputs, {"hyperparameters": [artifact]}, dict(node(tune).exec_properties)
        )
        return out


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def runners(monkeypatch: pytest.MonkeyPatch) -> list[InProcess]:
    """The runner of each search that is made, in place of processes."""
    made: list[InProcess] = []

    def without_processes(*given: Any, **named: Any) -> Any:
        def runner(run: Any, slots: int) -> InProcess:
            made.append(InProcess(slots))
            return made[-1]

        return tune_forecaster(*given, **named, make_runner=runner)

    monkeypatch.setattr(executor, "tune_forecaster", without_processes)
    return made


def test_the_node_and_what_its_cache_depends_on() -> None:
    made = node(search())
    assert made.id == "tune"
    assert made.outputs["hyperparameters"].type is standard_artifacts.HyperParameters
    assert made.exec_properties == node(search()).exec_properties
    assert made.exec_properties != node(search(max_trials=5)).exec_properties
    turned = search(space=dict(reversed(SPACE.items())))
    assert made.exec_properties != node(turned).exec_properties, "values are drawn in order"


def test_the_artifact_is_kerastuners_and_another_search_with_more_trials_goes_on(
    files: Files, runners: list[InProcess]
) -> None:
    out = files.tuned(search(), 1)
    text = json.loads((out / "best_hyperparameters.txt").read_text())
    known = keras_tuner.HyperParameters.from_config(text)
    result = read_result(out)
    best = min((t for t in result.trials if t.val_loss is not None), key=lambda t: t.val_loss or 0)
    assert result.values == best.values == read_best(out)
    assert known.get("window.lookback") == best.values["window.lookback"]
    assert {hp.name for hp in known.space} == set(SPACE)
    assert (result.val_loss, result.best_trial) == (best.val_loss, best.id)
    assert (len(result.trials), result.resumed, result.ended) == (4, 0, "trials")
    assert "validation loss" in summary(out).words
    more = read_result(files.tuned(search(max_trials=6, parallel=2), 2))
    assert more.trials[:4] == result.trials
    assert [len(runner.finished) for runner in runners] == [4, 2]
    assert more.resumed == 4


def test_the_files_own_values_are_the_first_trial(files: Files, runners: list[InProcess]) -> None:
    space = {**SPACE, "model.units": [[4], [8]]}
    result = read_result(files.tuned(search(space=space), 1))
    first = result.trials[0].values
    assert first == {"window.lookback": 4, "train.learning_rate": 1e-3, "model.units": [8]}
    assert result.config_val_loss == result.trials[0].val_loss
    assert result.val_loss <= result.trials[0].val_loss
    none = read_result(files.tuned(search(space=space, try_config=False), 2))
    assert none.config_val_loss is None
    assert none.trials[0].values != first


def test_other_data_is_another_search_and_old_ones_do_not_pile_up(
    files: Files, runners: list[InProcess]
) -> None:
    for n in range(KEPT + 3):
        files.store = make_store([("", 0, np.arange(60.0) + n)], SPEC, (30, 45, 60))
        files.store.save(files.folder / "windows")
        assert read_result(files.tuned(search(), n)).resumed == 0
    assert len(list((files.folder / "tune" / "searches").iterdir())) == KEPT + 1


def test_found_values_serve_newer_data_for_some_days(
    files: Files, runners: list[InProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_result(files.tuned(search(every_days=7), 1))
    files.store = make_store([("", 0, np.arange(60.0) + 1)], SPEC, (30, 45, 60))
    files.store.save(files.folder / "windows")
    again = read_result(files.tuned(search(every_days=7), 2))
    assert again == first.model_copy(update={"reused": True})
    assert len(runners) == 1
    assert "found" in again.words
    assert not read_result(files.tuned(search(), 3)).reused, "without every_days"
    assert not read_result(
        files.tuned(search(every_days=7, space={**SPACE, "train.batch_size": [8, 16]}), 4)
    ).reused
    files.tuned(search(every_days=7), 5)
    later = datetime.now(UTC) + timedelta(days=8)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return later

    monkeypatch.setattr(executor, "datetime", Later)
    count = len(runners)
    assert not read_result(files.tuned(search(every_days=7), 6)).reused
    assert len(runners) == count + 1


def test_a_space_too_wide_for_the_data_is_refused_before_any_trial(
    files: Files, runners: list[InProcess]
) -> None:
    with pytest.raises(BadInputError, match=r"window\.lookback in\s+tune\.space"):
        files.tuned(search(space={"window.lookback": [4, 50]}), 1)
    assert not runners


def hyperparameters(files: Files, values: dict[str, Any]) -> dict[str, list[Any]]:
    (files.folder / "hyperparameters").mkdir()
    data = {"space": [], "values": values}
    (files.folder / "hyperparameters" / "best_hyperparameters.txt").write_text(json.dumps(data))
    return files.artifact(standard_artifacts.HyperParameters, "hyperparameters")


def test_tuned_windows_are_those_that_would_have_been_built(files: Files) -> None:
    found = hyperparameters(files, {"window.lookback": 7, "model.units": "[4]"})
    made = tuned_windows(
        channel.Channel(type=Windows), channel.Channel(type=standard_artifacts.HyperParameters)
    )
    assert made.id == "tuned_windows"
    assert made.outputs["tuned"].type is Windows
    out = files.artifact(Windows, "tuned")
    TunedWindowsExecutor().Do(files.inputs | found, out, {})
    spec = SPEC.model_copy(update={"lookback": 7})
    expected = make_store([("", 0, np.arange(60.0))], spec, (30, 45, 60))
    written = SeriesStore.load(files.folder / "tuned")
    assert written.spec == spec
    for split, rows in expected.origins.items():
        np.testing.assert_array_equal(written.origins[split], rows)
        assert out["tuned"][0].get_int_custom_property(f"windows_{split}") == len(rows)
    np.testing.assert_array_equal(written.values, expected.values)


def test_tuned_windows_without_room_are_refused(files: Files) -> None:
    found = hyperparameters(files, {"window.lookback": 40})
    with pytest.raises(BadInputError, match="tuned lookback of 40 steps leaves the train split"):
        TunedWindowsExecutor().Do(files.inputs | found, files.artifact(Windows, "tuned"), {})


def test_training_takes_the_found_values_and_the_model_says_so(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"window.lookback": 4, "model.units": "[4, 2]", "train.learning_rate": 0.03}
    found = hyperparameters(files, values)
    seen: dict[str, Any] = {}

    def note(store: Any, scaling: Any, model: Any, train: Any, out: Any, **rest: Any) -> None:
        seen.update(rest, model=model, train=train)

    monkeypatch.setattr(train_executor, "train_forecaster", note)
    given: dict[str, Any] = {"model": BASE.model, "train": BASE.train, "config_digest": "d"}
    channels = (
        channel.Channel(type=Windows),
        channel.Channel(type=standard_artifacts.ExampleStatistics),
    )
    made = trainer(
        *channels,
        **given,
        hyperparameters=channel.Channel(type=standard_artifacts.HyperParameters),
    )
    out = files.artifact(standard_artifacts.Model, "model/1")
    TrainExecutor().Do(files.inputs | found, out, dict(made.exec_properties))
    assert seen["model"] == BASE.model.model_copy(update={"units": (4, 2)})
    assert seen["train"] == BASE.train.model_copy(update={"learning_rate": 0.03})
    assert seen["metadata"]["tuning"]["values"]["model.units"] == [4, 2]
    TrainExecutor().Do(files.inputs, out, dict(trainer(*channels, **given).exec_properties))
    assert seen["model"] == BASE.model
    assert "tuning" not in seen["metadata"]


def test_a_remembered_result_is_written_whole(tmp_path: Path) -> None:
    result = TuningResult(
        algorithm="random",
        values={"model.units": [8]},
        val_loss=0.5,
        best_trial="0",
        ended="trials",
        seconds=1.0,
        finished="2024-05-01T00:00:00+00:00",
        trials=(),
    )
    remembered.remember(result, {"values": {}}, "key", tmp_path)
    now = datetime(2024, 5, 3, tzinfo=UTC)
    known = remembered.remembered("key", tmp_path, now=now, days=2.5)
    assert known == (result.model_copy(update={"reused": True}), {"values": {}})
    for key, days in (("other", 2.5), ("key", 2.0), ("key", None)):
        assert remembered.remembered(key, tmp_path, now=now, days=days) is None
    (tmp_path / remembered.FILE).write_text("{torn")
    assert remembered.remembered("key", tmp_path, now=now, days=9) is None
