"""Candidate, baselines and champion side by side on the test sequences."""

from __future__ import annotations

from pathlib import Path

from components.report.charts.classes import confusion_chart, reliability_chart
from components.report.page import ReportSection, Table
from components.report.sections.scores import champion_words, models_table, tests_table
from components.report.words import NOTHING, count, figure
from components.sequence_backtest.evaluation import SequenceEvaluation
from components.sequence_backtest.write import read

MOST = 30
"""Classes in the table at most, those with most labels."""


def class_sections(folder: Path, shown: tuple[str, ...]) -> tuple[ReportSection, ...]:
    """The comparison, the classes, confusion and reliability.

    Args:
        folder: The ModelEvaluation artifact.
        shown: Metrics that people look at first.
    """
    evaluation = read(folder)
    higher, metric = evaluation.higher_is_better, evaluation.metric
    tables = (
        models_table(evaluation.models, shown, metric, higher=higher),
        tests_table(evaluation.comparisons),
    )
    confusions = (confusion_chart(name, one) for name, one in evaluation.confusion.items())
    return (
        ReportSection(
            "models",
            "Candidate, baselines and champion",
            facts=(
                ("test sequences", count(evaluation.sequences)),
                ("labels", count(evaluation.labels)),
                ("labels of classes that train does not have", count(evaluation.unknown_labels)),
                ("classes", count(evaluation.classes)),
                ("best baseline", evaluation.best_baseline or NOTHING),
                ("champion", champion_words(evaluation.champion)),
            ),
            tables=tables,
        ),
        ReportSection(
            "classes",
            "Classes",
            tables=(_classes(evaluation),),
            charts=(
                *(chart for chart in confusions if chart is not None),
                reliability_chart(evaluation),
            ),
        ),
    )


def _classes(evaluation: SequenceEvaluation) -> Table:
    found = sorted(evaluation.per_class.items(), key=lambda pair: -pair[1].support)
    rows = tuple(
        (
            name or NOTHING,
            count(one.support),
            count(one.predicted),
            figure(one.precision),
            figure(one.recall),
            figure(one.f1),
        )
        for name, one in found[:MOST]
    )
    more = len(found) - len(rows) + evaluation.classes_left_out
    rest = f"; {count(more)} rarer ones are in per_class.csv" if more else ""
    columns = ("class", "labels", "predicted", "precision", "recall", "F1")
    return Table(f"Classes, by the candidate{rest}", columns, rows)
