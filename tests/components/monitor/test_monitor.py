"""The whole monitor on written Examples and a champion's folder, without a metadata store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tfx.types  # noqa: F401 (before TFDV, which this build asks for)

from components.backtest.champion import Champion
from components.ingest.report import IngestReport
from components.monitor.config import DataDriftConfig, DriftConfig
from components.monitor.figures import figures
from components.monitor.monitor import monitor
from components.monitor.record import record
from components.monitor.reference import FACTS, keep_reference
from components.monitor.report import read, write
from components.monitor.settings import MonitorSettings
from components.tracking.recorder import SilentRecorder, use
from components.windows.build import build_store
from models.export.metadata import FILE
from models.roles import Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from tests.components.windows.example_files import write_examples

HOUR = 3600
ROLES = Roles(targets=("y",))
SPEC = WindowSpec(lookback=24, horizon=6)
OLD = 100 * 24
"""Hours that the champion's run saw."""


class Forecaster:
    """Repeats the day before."""

    carries_state = False

    def usable(self, view: Any) -> Any:
        return np.ones(len(view), bool)

    def comparable(self, store: Any) -> str | None:
        return None

    def predict(self, view: Any, batch_size: int = 0) -> Any:
        return view.targets()[:, : SPEC.horizon]


class Heard(SilentRecorder):
    def __init__(self) -> None:
        self.measured: dict[str, float] = {}
        self.tagged: dict[str, str] = {}
        self.warned: list[str] = []
        self.drawn: list[str] = []

    def metrics(self, values: Any, step: int | None = None) -> None:
        self.measured |= values

    def tags(self, values: Any) -> None:
        self.tagged |= values

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def figure(self, figure: Any, path: str) -> None:
        figure.canvas.draw()
        self.drawn.append(path)


def wave(hours: np.ndarray, series: int = 0) -> np.ndarray:
    noise = np.random.default_rng(series).normal(size=10_000)[hours]
    return 10 * np.sin(2 * np.pi * hours / 24) + noise


def night(folder: Path, table: dict[str, np.ndarray]) -> tuple[Path, Any]:
    """Examples and windows of hourly series from hour 0 on, split 70, 15, 15."""
    hours = max(map(len, table.values()))
    cuts = tuple(int(hours * share) * HOUR for share in (0, 0.7, 0.85, 1))
    rows = [
        {"series": name, "time": hour * HOUR, "y": float(value)}
        for name, values in table.items()
        for hour, value in enumerate(values)
        if not np.isnan(value)
    ]
    examples = write_examples(folder / "examples", rows, cuts)
    none: dict[str, Any] = {"sources": (), "dropped": {}, "missing": {}, "static_types": {}}
    none |= dict.fromkeys(
        ("rows_unused", "exact_duplicates", "holes", "missing_steps", "longest_hole", "bytes"), 0
    )
    IngestReport(
        **none,
        rows_read=len(rows),
        rows_kept=len(rows),
        series=len(table),
        series_ids=tuple(table),
        first=0,
        last=(hours - 1) * HOUR,
        frequency="h",
        steps=hours,
        boundaries=cuts,
        split_rows={},
        worst_series=(),
        digest="d",
    ).save(examples)
    build_store(examples, cuts, SPEC, ROLES, GapsConfig(), "h", folder / "windows")
    from models.windows.store import SeriesStore

    return examples, SeriesStore.load(folder / "windows")


def first_hours(count: int) -> dict[str, np.ndarray]:
    return {name: wave(np.arange(count), i) for i, name in enumerate("ab")}


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Champion:
    """What a run on the first 100 days left."""
    folder = tmp_path_factory.mktemp("old")
    examples, store = night(folder, first_hours(OLD))
    model = folder / "model"
    (model / FILE).parent.mkdir(parents=True)
    trained = store.time[store.time < store.boundaries[1]]
    span = [f"{np.datetime64(int(t), 's')}Z" for t in (trained.min(), trained.max())]
    about = {
        "format": 1,
        "task": "forecast",
        "train_range": span,
        "spec": SPEC.model_dump(),
        "inputs": {"y": "y"},
    }
    (model / FILE).write_text(json.dumps(about))
    view = store.view("test")
    keep_reference(model, examples, view, Forecaster().predict(view), np.array([7.0]), {"mae": 1.1})
    return Champion("17", model, "digest")


def watch(examples: Path, store: Any, champion: Champion | None, **drift: Any) -> Any:
    settings = MonitorSettings(drift=DriftConfig(**drift), roles=ROLES)
    return monitor(examples, store, champion, settings, load=lambda _: Forecaster())


def test_without_a_champion_it_goes(tmp_path: Path) -> None:
    report = watch(*night(tmp_path, first_hours(400)), None)
    assert (report.decision, report.champion, report.checks) == ("go", None, ())


def test_a_quiet_week_is_no_drift(champion: Champion, tmp_path: Path) -> None:
    report = watch(*night(tmp_path, first_hours(OLD + 7 * 24)), champion)
    assert report.decision == "go"
    assert [c.state for c in report.checks] == ["steady", "steady"]
    assert report.summary == "no drift since champion version 17"
    assert report.new_rows == 2 * 7 * 24
    assert report.champion.reference == "model"
    assert report.champion.data_end == "1970-04-10T23:00:00Z"
    data, concept = report.checks
    assert data.start == "1970-04-11T00:00:00Z"
    assert data.size == report.new_rows
    assert concept.errors.backtest_metric == 1.1
    write(report, tmp_path / "out")
    assert read(tmp_path / "out") == report
    assert (tmp_path / "out" / "decision").read_text() == "go\n"


def test_a_level_shift_is_found_shown_and_told(champion: Champion, tmp_path: Path) -> None:
    table = first_hours(OLD + 7 * 24)
    for values in table.values():
        values[OLD:] = 3 * values[OLD:] + 40
    table["new"] = table.pop("b")
    report = watch(*night(tmp_path, table), champion, data=DataDriftConfig(action="stop"))
    assert report.decision == "stop"
    assert report.drifted == ("data", "concept")
    assert (report.new_series, report.gone_series) == (("new",), ("b",))
    heard = Heard()
    with use(heard):
        record(report)
    assert heard.measured["drift_y"] > heard.measured["drift_limit_y"]
    assert heard.measured["drift_max_excess"] > 1
    assert heard.measured["concept_ratio"] > heard.measured["concept_limit"]
    assert heard.measured["drift_drifted"] == 1
    assert heard.tagged["decision"] == "stop"
    assert len(heard.warned) == 2
    assert heard.drawn == [path for path, _ in figures(report)]
    assert len(heard.drawn) == 3


def test_nothing_new_is_waited_for(champion: Champion, tmp_path: Path) -> None:
    retrain = DataDriftConfig(action="retrain")
    report = watch(*night(tmp_path, first_hours(OLD)), champion, data=retrain)
    assert report.new_rows == 0
    assert [c.state for c in report.checks] == ["not_checked", "not_checked"]
    assert report.decision == "hold"


def test_only_the_newest_steps_are_looked_at(champion: Champion, tmp_path: Path) -> None:
    report = watch(*night(tmp_path, first_hours(OLD + 14 * 24)), champion, steps=48)
    assert report.new_rows == 2 * 48
    assert report.checks[0].start == "1970-04-23T00:00:00Z"


def test_a_champion_that_keeps_nothing_is_watched_by_the_rows_of_today(
    champion: Champion, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    (bare / FILE).parent.mkdir(parents=True)
    (bare / FILE).write_text((champion.path / FILE).read_text())
    report = watch(
        *night(tmp_path, first_hours(OLD + 7 * 24)), Champion("16", bare, "d"), concept=None
    )
    assert report.champion.reference == "data"
    assert report.champion.data_end == report.champion.train_end
    [data] = report.checks
    assert data.state == "steady"
    assert data.size == 2 * (OLD + 7 * 24 - int(OLD * 0.7))


@pytest.mark.parametrize("damage", ["gone", "torn", "foreign"])
def test_a_champion_that_cannot_be_judged_never_holds_back_its_successor(
    champion: Champion, tmp_path: Path, damage: str
) -> None:
    model = tmp_path / "model"
    (model / FILE).parent.mkdir(parents=True)
    if damage == "torn":
        (model / FILE).write_text((champion.path / FILE).read_text())
        (model / FACTS).write_text("{")
    elif damage == "foreign":
        (model / FILE).write_text(json.dumps({"format": 1, "task": "forecast"}))
    report = watch(
        *night(tmp_path, first_hours(400)),
        Champion("17", model, "d"),
        data=DataDriftConfig(action="retrain"),
    )
    assert report.decision == "go"
    assert "not checked" in report.summary
