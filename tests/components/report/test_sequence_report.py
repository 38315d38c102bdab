"""Reports of tasks over whole sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.ingest.report import SourceReport
from components.report.build import build_report
from components.report.run import ReportedNode, ReportedRun
from components.sequence_backtest.evaluation import (
    ClassResult,
    ConfusionResult,
    ReliabilityResult,
    SequenceComparison,
    SequenceEvaluation,
    SequenceScores,
    Verdict,
)
from components.sequences.ingest.report import SequenceIngestReport
from tests.components.report.parsed import Parsed

COUNTS = ((40, 2, 0), (7, 11, 0), (1, 0, 0))
NAMES = ("$good$", "<bad>", "(unknown)")


def scores(accuracy: float) -> SequenceScores:
    return SequenceScores(
        accuracy=accuracy, macro_f1=accuracy - 0.1, log_loss=1 - accuracy,
        perplexity=float(np.exp(1 - accuracy)), calibration_error=0.05, span_f1=None,
    )  # fmt: skip


@pytest.fixture
def page(tmp_path: Path) -> Parsed:
    """The report of a candidate that lost to a baseline."""
    reliability = ReliabilityResult(
        count=(3, 10), confidence=(0.2, 0.9), accuracy=(0.3, 0.85)
    )  # fmt: skip
    evaluation = SequenceEvaluation(
        task="classify", metric="accuracy", higher_is_better=True, sequences=61, labels=61,
        unknown_labels=1, classes=2,
        models={"candidate": scores(0.7), "majority": scores(0.8)},
        per_class={
            "<bad>": ClassResult(
                support=18, predicted=13, precision=11 / 13, recall=11 / 18, f1=0.7
            ),
            "$good$": ClassResult(support=42, predicted=48, precision=0.8, recall=40 / 42, f1=0.9),
        },
        classes_left_out=0,
        confusion={"candidate": ConfusionResult(names=NAMES, counts=COUNTS)},
        reliability={"candidate": reliability, "majority": reliability},
        best_baseline="majority",
        comparisons=(
            SequenceComparison(
                other="majority", metric="accuracy", test="t", sequences=61, differing=9,
                difference=-0.1, p_two_sided=0.04, p_better=0.98, resamples=100,
            ),
        ),
        champion=None, winner=None,
        verdict=Verdict(blessed=False, reasons=("accuracy 0.7 is below 0.8",), summary="No."),
    )  # fmt: skip
    (tmp_path / "evaluation.json").write_text(evaluation.model_dump_json())
    SequenceIngestReport(
        sources=(SourceReport(name="r.csv", rows=500, bytes=9999, sha256="e" * 64),),
        rows_read=500, rows_kept=490, dropped={"no label": 10}, sequences=300,
        sequences_dropped=4, sequences_unused=0,
        split_sequences={"train": 200, "validation": 39, "test": 61},
        split_rows={"train": 300, "validation": 90, "test": 100}, shortest=1, longest=9,
        labels={"train": {"$good$": 150, "<bad>": 50}, "test": {"$good$": 42, "<bad>": 18}},
        repeated={"test": 2}, digest="f" * 64, bytes=1234,
    ).save(tmp_path)  # fmt: skip
    run = ReportedRun(
        name="reber", run_id="r", verdict="No.", tone="neutral",
        nodes=(
            ReportedNode("ingest", 1, False, 1.0, {"examples": tmp_path}),
            ReportedNode("backtest", 2, False, 1.0, {"evaluation": tmp_path}),
        ),
        shown=("accuracy", "macro_f1", "log_loss"),
    )  # fmt: skip
    return Parsed.of(build_report(run, sequences=True))


def test_higher_is_better_where_it_is(page: Parsed) -> None:
    head, first, second, *tests = page.tables["models"]
    assert head[:2] == ["model", "ACCURACY (gate)"]
    assert (first[0], second[0]) == ("majority", "candidate")
    assert tests[1] == ["majority", "-0.1", "0.98", "0.04"]


def test_classes_have_their_table_confusion_and_reliability(page: Parsed) -> None:
    # Most labels first.
    assert [row[0] for row in page.tables["classes"]] == ["class", "$good$", "<bad>"]
    assert page.tables["classes"][2][1:] == ["18", "13", "0.8462", "0.6111", "0.7"]
    assert page.drawings == {"classes": 2}
    for number in ("40", "2", "7", "11"):
        assert number in page.texts["classes"].split()


def test_data_counts_sequences_and_labels(page: Parsed) -> None:
    assert "10 no label" in page.texts["data"]
    assert ["$good$", "75%", "70%"] in page.tables["data"]
    assert ["test", "61", "100"] in page.tables["data"]
    assert page.reaches == []
