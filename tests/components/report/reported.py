"""Artifacts of small runs, as components write them, for reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.backtest.config import GateConfig
from components.backtest.evaluate import evaluate
from components.backtest.evaluation import Evaluation
from components.backtest.samples import samples
from components.backtest.write import write
from components.baselines.forecast import forecast_baselines
from components.ingest.report import IngestReport, SeriesHoles, SourceReport
from components.report.run import ReportedNode, ReportedRun
from models.baselines.config import BaselinesConfig
from models.roles import Roles
from models.training.history import TrainingHistory
from models.windows.spec import WindowSpec
from tests.stores import HOUR, make_store, scaling_of

TARGET = "load <MW> $x^2$"
"""A column whose name is neither HTML nor a formula, though it looks like both."""
BOUNDARIES = (0, 200 * HOUR, 260 * HOUR, 340 * HOUR)


@dataclass(frozen=True)
class Outcome:
    """As `pipeline.runner.launch.NodeOutcome`, which needs TFX to be imported."""

    node: str
    execution_id: int
    cached: bool
    seconds: float
    outputs: dict[str, Path]


@dataclass(frozen=True)
class Artifacts:
    """Folders of a run's artifacts, and what is in them."""

    evaluation: Evaluation
    history: TrainingHistory
    ingest: IngestReport
    outcomes: dict[str, Outcome]

    def run(self, **changes: object) -> ReportedRun:
        """The run that has these artifacts."""
        verdict = self.evaluation.verdict
        values: dict[str, object] = {
            "name": "small",
            "run_id": "2026-01-02T03-04-05.000006",
            "verdict": verdict.summary,
            "tone": "good",
            "reasons": verdict.reasons,
            "nodes": tuple(
                ReportedNode(o.node, o.execution_id, o.cached, o.seconds, o.outputs)
                for o in self.outcomes.values()
            ),
            "shown": ("mae", "mase", "skill"),
        }
        return ReportedRun(**{**values, **changes})  # type: ignore[arg-type]


def make_artifacts(folder: Path) -> Artifacts:
    """A forecast that beats its baselines, on two series of which one has holes."""
    random = np.random.default_rng(0)
    t = np.arange(340)
    waves = [10 + 3 * np.sin(2 * np.pi * t / 6 + p) + 0.3 * random.normal(size=340) for p in (0, 1)]
    hidden = np.zeros(340, bool)
    hidden[100:104] = hidden[290:293] = True
    store = make_store(
        [("a", 0, waves[0]), ("b", 0, waves[1])],
        WindowSpec(lookback=12, horizon=6),
        (200, 260, 340),
        roles=Roles(targets=(TARGET,)),
        hidden={0: hidden},
    )
    store.save(folder / "windows")
    stored = forecast_baselines(
        store, BaselinesConfig(names=("naive", "seasonal_naive"), season=6), folder / "baselines"
    )
    rows = store.view("test").origins[:, None] + np.arange(1, 7)
    noise = random.normal(size=(len(rows), 6, 1))
    predictions = (store.values[rows, :1] + 0.1 * noise).astype(np.float32)
    scaling = scaling_of(store)
    backtest = evaluate(
        store, predictions, stored, None, gate=GateConfig(beats=("seasonal_naive",)),
        scaling=scaling, season=6,
    )  # fmt: skip
    write(backtest, store.series, folder / "evaluation")
    samples(store, backtest).save(folder / "evaluation")
    history = _history()
    (folder / "model").mkdir()
    (folder / "model" / "history.json").write_text(history.to_json())
    ingest = _ingest()
    (folder / "examples").mkdir()
    ingest.save(folder / "examples")
    outcomes = [
        Outcome("ingest", 11, True, 0.1, {"examples": folder / "examples"}),
        Outcome("windows", 12, False, 1.5, {"windows": folder / "windows"}),
        Outcome("train", 13, False, 62.0, {"model": folder / "model"}),
        Outcome("backtest", 14, False, 2.0, {"evaluation": folder / "evaluation"}),
    ]
    return Artifacts(backtest.evaluation, history, ingest, {o.node: o for o in outcomes})


def _history() -> TrainingHistory:
    history = TrainingHistory(
        best_epoch=3, best_val_loss=0.25, parameters=1234, train_windows=366, validation_windows=98
    )
    for epoch, loss in enumerate((1.0, 0.4, 0.25, 0.3), start=1):
        values = dict.fromkeys(history.epochs, 0.0)
        norms = {"gradient_norm": 2.0 / epoch, "gradient_norm_max": 5.0 / epoch}
        history.append(values | norms | {"loss": 1.1 * loss, "val_loss": loss, "seconds": 15.0})
        lags = [0.5**lag / epoch for lag in range(12)]
        history.gradient_flow.append({"epoch": epoch, "norms": {"elman_recurrent_0": lags}})
    return history


def _ingest() -> IngestReport:
    return IngestReport(
        sources=(SourceReport(name="load.csv", rows=690, bytes=12345, sha256="ab" * 32),),
        rows_read=690,
        rows_kept=676,
        rows_unused=0,
        exact_duplicates=3,
        dropped={"unreadable number": 11},
        series=2,
        series_ids=("a", "b"),
        first=0,
        last=339 * HOUR,
        frequency="h",
        steps=340,
        boundaries=BOUNDARIES,
        split_rows={"train": 396, "validation": 120, "test": 160},
        missing={TARGET: 3},
        static_types={},
        holes=1,
        missing_steps=4,
        longest_hole=4,
        worst_series=(SeriesHoles(series="a", holes=1, missing_steps=4, longest=4),),
        digest="cd" * 32,
        bytes=4567,
    )
