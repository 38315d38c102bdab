from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.monitor.report import (
    Bins,
    Check,
    ErrorSeries,
    Finding,
    MonitorReport,
    WatchedChampion,
)
from components.monitor.report import write as write_monitor
from components.report.build import build_report
from components.report.run import ReportedNode
from components.spans.summary import BlockedSpan, SpansSummary
from components.tune.result import TuningResult, write_result
from components.tune.state import TrialRecord
from tests.components.report.parsed import Parsed
from tests.components.report.reported import TARGET, Artifacts, make_artifacts


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return make_artifacts(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def html(artifacts: Artifacts) -> str:
    return build_report(artifacts.run())


@pytest.fixture(scope="module")
def page(html: str) -> Parsed:
    return Parsed.of(html)


def test_the_verdict_stands_before_every_section(
    artifacts: Artifacts, html: str, page: Parsed
) -> None:
    assert artifacts.evaluation.verdict.blessed
    assert html.index(artifacts.evaluation.verdict.summary) < html.index("<section")
    assert artifacts.evaluation.verdict.reasons[0] in page.texts[""]


def test_models_stand_side_by_side_with_the_numbers_of_the_evaluation(
    artifacts: Artifacts, page: Parsed
) -> None:
    head, *rows = page.tables["models"]
    assert head[:4] == ["model", "MAE (gate)", "MASE", "SKILL"]
    models = artifacts.evaluation.models
    best_first = sorted(models, key=lambda name: models[name].mae or np.inf)
    assert [row[0] for row in rows[: len(models)]] == best_first
    assert best_first[0] == "candidate"
    for row in rows[: len(models)]:
        assert float(row[1]) == pytest.approx(models[row[0]].mae, rel=1e-3)
        assert float(row[3]) == pytest.approx(models[row[0]].skill, rel=1e-3, abs=1e-4)


def test_every_step_of_the_horizon_has_the_error_of_every_model(
    artifacts: Artifacts, page: Parsed
) -> None:
    head, *rows = page.tables["horizon"]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    for column, name in enumerate(head[1:], start=1):
        expected = artifacts.evaluation.per_horizon[name].mae
        assert [float(row[column]) for row in rows] == pytest.approx(list(expected), rel=1e-3)


def test_data_says_what_is_missing_and_dropped(page: Parsed) -> None:
    words = page.texts["data"]
    assert "11 unreadable number, 3 exact duplicates" in words
    assert "1 hole: 4 steps" in words
    assert [TARGET, "3", "0.44%"] in page.tables["data"]
    assert ["train", "1970-01-01", "1970-01-09 08:00:00Z", "396"] in page.tables["data"]
    assert "abababababababab" in words


def test_there_is_a_drawing_of_everything(page: Parsed) -> None:
    # newest, best, median, worst; loss, norm, reach by lag and by epoch.
    assert page.drawings == {"horizon": 1, "forecasts": 4, "data": 1, "training": 4}


def test_nothing_on_the_page_runs_or_fetches(html: str, page: Parsed) -> None:
    assert "script" not in page.tags
    assert not {"iframe", "object", "embed", "link", "base", "form"} & set(page.tags)
    assert page.reaches == []
    assert "@import" not in html
    assert re.findall(r"url\((?!#)", html) == []
    assert "default-src 'none'" in html


def test_every_drawing_is_well_formed_and_ids_are_the_pages_own(html: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", html, flags=re.S)
    ids: list[str] = []
    for drawing in drawings:
        root = ET.fromstring(drawing)
        assert root.get("aria-label")
        ids += [e.get("id") or "" for e in root.iter() if e.get("id")]
        used = re.findall(r'(?:url\(#|href="#)([^)"]+)', drawing)
        assert set(used) <= set(ids)
        assert "#0102" not in drawing, "a colour that does not follow the page"
    assert len(drawings) == 10
    assert len(ids) == len(set(ids))


def test_drawings_show_the_numbers_they_are_of(artifacts: Artifacts, html: str) -> None:
    """The candidate's line in the error by horizon, read back from its path."""
    drawing = re.search(r'<section id="horizon">.*?(<svg.*?</svg>)', html, flags=re.S)
    assert drawing is not None
    lines = re.findall(r'<path d="(M [^"]*)"[^>]*stroke: var\(--line0\)', drawing[1])
    points = [np.array(re.findall(r"[-\d.]+", line), float).reshape(-1, 2) for line in lines]
    line = next(p for p in points if len(p) == 6)
    errors = np.array(artifacts.evaluation.per_horizon["candidate"].mae, float)
    # SVG counts downwards; the axis is linear, so that it is the same up to shift and scale.
    drawn = -line[:, 1]
    slope = (drawn[-1] - drawn[0]) / (errors[-1] - errors[0])
    np.testing.assert_allclose(drawn, drawn[0] + slope * (errors - errors[0]), atol=0.02)
    assert slope > 0


def test_names_are_text_and_neither_html_nor_formulas(html: str, page: Parsed) -> None:
    assert "<MW>" not in html
    assert "load &lt;MW&gt; $x^2$" in html
    assert TARGET in page.texts["windows"]


def test_hostile_words_stay_words(artifacts: Artifacts) -> None:
    bad = "<script>alert(1)</script>"
    run = artifacts.run(
        name=bad, verdict=bad, reasons=(bad,), warnings=(bad,), lineage=((bad, bad),),
        config={bad: bad}, nodes=(),
    )  # fmt: skip
    html = build_report(run)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 8


def test_secrets_are_masked_wherever_they_stand(artifacts: Artifacts) -> None:
    bad = "could not reach postgresql://me:hunter2hunter2@host/base at https://h/?token=abcdefgh"
    run = artifacts.run(
        verdict=bad, reasons=(bad,), facts=((bad, bad),), warnings=(bad,), lineage=((bad, bad),),
        config={bad: bad}, nodes=(),
    )  # fmt: skip
    html = build_report(run)
    assert "hunter2" not in html
    assert "abcdefgh" not in html
    assert html.count("postgresql://me:***@host/base") == 9


def test_equal_runs_have_equal_reports(artifacts: Artifacts) -> None:
    run = artifacts.run()
    short = replace(run, nodes=run.nodes[3:])
    assert build_report(short) == build_report(short)


def test_a_run_that_ended_early_has_the_parts_that_there_are(artifacts: Artifacts) -> None:
    run = artifacts.run()
    page = Parsed.of(build_report(replace(run, nodes=run.nodes[:1])))
    assert set(page.tables) == {"data", "lineage"}
    assert ["ingest", "re-used", f"examples: {run.nodes[0].outputs['examples']}", "11"] in (
        page.tables["lineage"]
    )
    assert Parsed.of(build_report(replace(run, nodes=()))).tables == {}


def _monitor(folder: Path) -> ReportedNode:
    moved = Finding(
        subject="load", measure="jensen_shannon", value=0.4, threshold=0.1, level=0.15, ranges=9,
        rank=1.0, limit=0.15, drifted=True,
        bins=Bins(
            labels=("low", "high", "missing"), reference=(0.7, 0.3, 0.0), new=(0.2, 0.7, 0.1)
        ),
    )  # fmt: skip
    errors = ErrorSeries(
        unit="standard deviations", backtest=0.2, new=0.5, metric="mae", backtest_metric=2.0,
        new_metric=5.0, backtest_times=(0, 3600), backtest_errors=(0.1, 0.3),
        new_times=(7200, 10800), new_errors=(0.4, 0.6),
    )  # fmt: skip
    ratio = moved.model_copy(update={"subject": "error", "measure": "ratio", "bins": None})
    report = MonitorReport(
        decision="go",
        summary="load has drifted",
        reasons=("jensen_shannon 0.4 is above 0.15",),
        champion=WatchedChampion(
            version="17", digest="d", train_start="2020-01-01", train_end="2021-01-01",
            data_end="2021-03-01", reference="model",
        ),
        new_rows=48,
        checks=(
            Check(name="data", action="warn", state="drifted", size=48, findings=(moved,)),
            Check(name="concept", action="warn", state="drifted", findings=(ratio,), errors=errors),
        ),
    )  # fmt: skip
    write_monitor(report, folder)
    return ReportedNode("monitor", 20, False, 1.0, {"monitor": folder})


def _tuning(folder: Path) -> ReportedNode:
    trials = (
        TrialRecord(id="0", values={"train.learning_rate": 0.01}, status="completed", val_loss=0.5),
        TrialRecord(id="1", values={"train.learning_rate": 0.1}, status="failed", message="nan"),
        TrialRecord(id="2", values={"train.learning_rate": 0.02}, status="completed", val_loss=0.3),
    )
    result = TuningResult(
        algorithm="random", values={"train.learning_rate": 0.02}, val_loss=0.3, best_trial="2",
        config_val_loss=0.5, ended="trials", seconds=10.0, finished="2026-01-01T00:00:00Z",
        trials=trials,
    )  # fmt: skip
    write_result(result, {"space": [], "values": {"train.learning_rate": 0.02}}, folder)
    return ReportedNode("tune", 21, False, 10.0, {"hyperparameters": folder})


def test_drift_tuning_and_spans_stand_there_when_they_are(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    spans = SpansSummary(
        count=30, first="2020-01-01", last="2020-01-30", new=("2020-01-30",), new_count=1,
        blocked=(BlockedSpan(label="2020-01-13", reason="the column load is gone"),),
        blocked_count=1,
    )  # fmt: skip
    nodes = (_monitor(tmp_path / "monitor"), _tuning(tmp_path / "tune"))
    page = Parsed.of(build_report(artifacts.run(nodes=nodes, spans=spans)))
    assert "version 17" in page.texts["drift"]
    assert ["load", "jensen_shannon", "drifted", "0.4", "0.15", "0.1", "0.15"] in (
        page.tables["drift"]
    )
    assert page.drawings == {"drift": 2, "tuning": 1}
    ranked = [row[0] for row in page.tables["tuning"][1:]]
    assert ranked == ["2", "0", "1"]
    assert page.tables["tuning"][3][3] == "nan"
    assert ["2020-01-13", "the column load is gone"] in page.tables["spans"]
