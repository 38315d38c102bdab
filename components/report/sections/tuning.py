"""The search for better values."""

from __future__ import annotations

from pathlib import Path

from components.report.charts.tuning import trials_chart
from components.report.page import ReportSection, Table
from components.report.words import NOTHING, count, duration, figure
from components.tune.result import TuningResult, read_result, shown

MOST = 50
"""Trials listed at most, the best first."""
_ENDED = {
    "trials": "all trials were made",
    "time": "the time was over",
    "space": "nothing was left to try",
}


def tuning_section(folder: Path) -> ReportSection:
    """The best values, and every trial.

    Args:
        folder: The HyperParameters artifact of the node `tune`.
    """
    result = read_result(folder)
    chart = trials_chart(result)
    own = result.config_val_loss
    return ReportSection(
        "tuning",
        "Tuning",
        words=(result.words,),
        facts=(
            ("algorithm", result.algorithm),
            ("trials", f"{count(result.completed)} finished, {count(result.failed)} failed"),
            ("ended because", _ENDED[result.ended]),
            ("best trial", result.best_trial),
            ("best validation loss", figure(result.val_loss)),
            ("with the file's own values", NOTHING if own is None else figure(own)),
            ("found by an earlier, killed start", count(result.resumed)),
            ("time", duration(result.seconds)),
        ),
        tables=(_trials(result),),
        charts=() if chart is None else (chart,),
    )


def _trials(result: TuningResult) -> Table:
    keys = list(result.values)
    ranked = sorted(result.trials, key=lambda t: float("inf") if t.val_loss is None else t.val_loss)
    rows = [
        (
            trial.id,
            trial.status,
            *(shown(trial.values[key]) if key in trial.values else NOTHING for key in keys),
            trial.message.partition("\n")[0],
            figure(trial.val_loss),
            count(trial.epochs),
            duration(trial.seconds),
        )
        for trial in ranked[:MOST]
    ]
    strong = [t.id for t in ranked[:MOST]].index(result.best_trial) if rows else None
    columns = ("trial", "status", *keys, "why it failed", "val_loss", "epochs", "time")
    return Table("Trials, the best first", columns, tuple(rows), left=3 + len(keys), strong=strong)
