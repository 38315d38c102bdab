"""`build_report`: the page of one run, from plain data and the files of its artifacts."""

from __future__ import annotations

from collections.abc import Iterator

from components.report.page import Page, ReportSection, rendered
from components.report.run import ReportedRun
from components.report.sections.classes import class_sections
from components.report.sections.data import data_section
from components.report.sections.drift import drift_section
from components.report.sections.lineage import config_section, lineage_section
from components.report.sections.scores import score_sections
from components.report.sections.sequences import sequences_section
from components.report.sections.spans import spans_section
from components.report.sections.training import training_section
from components.report.sections.tuning import tuning_section
from components.report.sections.windows import windows_section


def build_report(run: ReportedRun, *, sequences: bool = False) -> str:
    """The report of `run` as one page of HTML without scripts that loads nothing.

    A part is there when its component has finished: a run that was held or has failed has a
    shorter report.

    Args:
        run: What it came to, and where its artifacts are.
        sequences: Whether its task is one over whole sequences.

    Raises:
        FailedRunError: If an artifact is not complete.
    """
    return rendered(
        Page(
            title=run.name,
            run_id=run.run_id,
            tone=run.tone,
            verdict=run.verdict,
            reasons=run.reasons,
            facts=run.facts,
            warnings=run.warnings,
            sections=tuple(_sections(run, sequences)),
        )
    )


def _sections(run: ReportedRun, sequences: bool) -> Iterator[ReportSection]:
    examples = run.output("ingest", "examples")
    windows = run.output("tuned_windows", "tuned") or run.output("windows", "windows")
    evaluation, model = run.output("backtest", "evaluation"), run.output("train", "model")
    monitor, tuned = run.output("monitor", "monitor"), run.output("tune", "hyperparameters")
    if evaluation is not None:
        yield from (class_sections if sequences else score_sections)(evaluation, run.shown)
    if run.spans is not None:
        yield spans_section(run.spans)
    if examples is not None:
        yield sequences_section(examples) if sequences else data_section(examples, windows)
    if monitor is not None:
        yield drift_section(monitor)
    if tuned is not None:
        yield tuning_section(tuned)
    if windows is not None and not sequences:
        yield windows_section(windows)
    if model is not None:
        yield training_section(model, unit="sequences" if sequences else "windows")
    yield lineage_section(run)
    if run.config:
        yield config_section(run)
