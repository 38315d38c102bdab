"""How the network was trained."""

from __future__ import annotations

from pathlib import Path

from components.report.charts.training import training_charts
from components.report.page import ReportSection
from components.report.words import count, duration, figure
from models.training.history import TrainingHistory

FILE = "history.json"


def training_section(model: Path, *, unit: str) -> ReportSection:
    """Epochs, curves and gradients.

    Args:
        model: The Model artifact of the node `train`.
        unit: What there is one of per example: windows or sequences.
    """
    history = TrainingHistory.from_json((model / FILE).read_text(encoding="utf-8"))
    stopped = {"patience": "no better for train.patience epochs", "epochs": "all epochs were run"}
    resumed = history.resumed_after
    skipped = max(history.epochs["skipped_share"], default=0.0)
    facts = [
        ("parameters", count(history.parameters)),
        (f"train {unit}", count(history.train_windows)),
        (f"validation {unit}", count(history.validation_windows)),
        ("epochs", f"{history.epochs_run}, best {history.best_epoch}"),
        ("best validation loss", figure(history.best_val_loss)),
        ("stopped", stopped.get(history.stopped, history.stopped)),
        ("time in epochs", duration(history.seconds)),
        *([("resumed after epoch", count(resumed))] if resumed else []),
        *([("steps skipped (float16)", f"{skipped:.0%} in the worst epoch")] if skipped else []),
    ]
    charts = tuple(training_charts(history)) if history.epochs_run else ()
    return ReportSection("training", "Training", facts=tuple(facts), charts=charts)
