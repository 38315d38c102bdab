"""The node `backtest` in a real TFX pipeline, and TFX's own resolver on what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import components.backtest.executor as executor
from components.artifacts import Baselines
from components.backtest.component import backtest
from components.backtest.config import GateConfig
from components.backtest.write import read
from components.baselines.component import baselines
from models.baselines.config import BaselinesConfig
from models.windows.store import SeriesStore
from tests.end_to_end.stand_ins import nodes

ERRORS = (0.1, 0.01, 9.0)
"""Of the three models in turn: good, better, worse than any baseline."""


class Fake:
    """Forecasts the truth plus noise, whose size is what the SavedModel holds."""

    carries_state = False

    def __init__(self, folder: Path) -> None:
        self.error = float((folder / "saved_model.pb").read_text())

    def comparable(self, store: SeriesStore) -> str | None:
        return None

    def usable(self, view: Any) -> Any:
        return np.ones(len(view), bool)

    def predict(self, view: Any, batch_size: int = 1024) -> Any:
        noise = np.random.default_rng(0).normal(size=(len(view), 3, 1))
        return (view.labels() + self.error * noise).astype(np.float32)


def run_pipeline(workspace: Path, error: float, champion: str) -> None:
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner
    from tfx.orchestration.metadata import sqlite_metadata_connection_config
    from tfx.orchestration.pipeline import Pipeline

    windows, statistics, train = nodes(error)
    scored = baselines(
        windows.outputs["out"],
        config=BaselinesConfig(names=("naive", "seasonal_naive", "ar"), season=12),
    )
    gate = backtest(
        train.outputs["out"],
        windows.outputs["out"],
        scored.outputs["baselines"],
        statistics.outputs["out"],
        gate=GateConfig(),
        season=12,
        champion=champion,
    )
    LocalDagRunner().run(
        Pipeline(
            pipeline_name="blessing",
            pipeline_root=str(workspace / "artifacts"),
            components=[windows, statistics, train, scored, gate],
            enable_cache=True,
            metadata_connection_config=sqlite_metadata_connection_config(
                str(workspace / "metadata.db")
            ),
        )
    )


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three runs of one workspace; the champion is the newest blessed model, as after a push."""
    from tfx.orchestration.metadata import Metadata, sqlite_metadata_connection_config

    workspace = tmp_path_factory.mktemp("workspace")
    champion, version = "", 0
    patch = pytest.MonkeyPatch()
    patch.setattr(executor, "load_forecaster", Fake)
    try:
        for error in ERRORS:
            run_pipeline(workspace, error, champion)
            connection = sqlite_metadata_connection_config(str(workspace / "metadata.db"))
            with Metadata(connection) as metadata:
                _, winners = models_of(metadata.store)
                blessings = artifacts(metadata.store, "ModelBlessing")
            if blessings[-1].get_int_custom_property("blessed"):
                version += 1
                path = str(Path(winners[-1].uri) / "Format-Serving")
                champion = json.dumps({"version": version, "path": path, "digest": "d"})
        yield workspace
    finally:
        patch.undo()


def artifacts(store: Any, name: str) -> list[Any]:
    from tfx.types import artifact_utils

    (kind,) = [t for t in store.get_artifact_types() if t.name == name]
    found = sorted(store.get_artifacts_by_type(name), key=lambda a: a.id)
    return [artifact_utils.deserialize_artifact(kind, a) for a in found]


def models_of(store: Any) -> tuple[list[Any], list[Any]]:
    """The Models that were trained, and those that backtests put forward."""
    models = artifacts(store, "Model")
    winners = [m for m in models if m.get_string_custom_property("source")]
    return [m for m in models if m not in winners], winners


def opened(workspace: Path) -> Any:
    from tfx.orchestration.metadata import Metadata, sqlite_metadata_connection_config

    return Metadata(sqlite_metadata_connection_config(str(workspace / "metadata.db")))


def test_the_strategy_resolves_the_latest_blessed_model(history: Path) -> None:
    from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
        LatestBlessedModelStrategy,
    )

    with opened(history) as metadata:
        models, winners = models_of(metadata.store)
        blessings = artifacts(metadata.store, "ModelBlessing")
        assert len(models) == len(winners) == len(blessings) == 3
        resolved = LatestBlessedModelStrategy().resolve_artifacts(
            metadata.store, {"model": list(models), "blessing": list(blessings)}
        )
    # The third and newest is not blessed: the second is the latest that is.
    assert resolved["model"] == [models[1]]
    assert resolved["blessing"][0].uri == blessings[1].uri


def test_blessings_follow_the_conventions_of_tfx(history: Path) -> None:
    from tfx.components.util.model_utils import is_model_blessed

    with opened(history) as metadata:
        models, winners = models_of(metadata.store)
        blessings = artifacts(metadata.store, "ModelBlessing")
        evaluations = artifacts(metadata.store, "ModelEvaluation")
    for i, (model, blessing) in enumerate(zip(models, blessings, strict=True)):
        blessed = ERRORS[i] < 1
        assert is_model_blessed(blessing) is blessed
        files = [p.name for p in Path(blessing.uri).iterdir()]
        assert files == ["BLESSED" if blessed else "NOT_BLESSED"]
        assert blessing.get_string_custom_property("current_model") == model.uri
        assert blessing.get_int_custom_property("current_model_id") == model.id
        verdict = read(Path(evaluations[i].uri)).verdict
        assert verdict.blessed is blessed
        assert blessing.get_string_custom_property("blessing_message") == verdict.summary
        before = str(Path(winners[min(i, 2) - 1].uri) / "Format-Serving") if i else ""
        assert blessing.get_string_custom_property("baseline_model") == before


def test_the_winner_is_the_trained_model_where_no_baseline_is_better(history: Path) -> None:
    with opened(history) as metadata:
        models, winners = models_of(metadata.store)
        evaluations = artifacts(metadata.store, "ModelEvaluation")
    for i, (model, winner) in enumerate(zip(models, winners, strict=True)):
        assert winner.get_string_custom_property("source") == "candidate"
        name = "Format-Serving/saved_model.pb"
        assert (Path(winner.uri) / name).samefile(Path(model.uri) / name)
        # The third beats nothing, and no baseline beats the champion in its place.
        assert read(Path(evaluations[i].uri)).winner == ("candidate" if ERRORS[i] < 1 else None)


def test_each_candidate_met_the_champion_of_its_time(history: Path) -> None:
    with opened(history) as metadata:
        found = [read(Path(a.uri)) for a in artifacts(metadata.store, "ModelEvaluation")]
    assert found[0].champion is None
    assert [e.champion.version for e in found[1:]] == ["1", "2"]
    assert found[1].models["champion"].mae == found[0].models["candidate"].mae
    assert any("is not below the champion (version 2)" in r for r in found[2].verdict.reasons)


def test_unchanged_baselines_are_not_fitted_again(history: Path) -> None:
    with opened(history) as metadata:
        states = [
            type(e).State.Name(e.last_known_state)
            for e in sorted(metadata.store.get_executions(), key=lambda e: e.id)
            if "source_digest" in e.custom_properties and "champion" not in e.custom_properties
        ]
        assert len(artifacts(metadata.store, Baselines.TYPE_NAME)) == 1
    assert states == ["COMPLETE", "CACHED", "CACHED"]
