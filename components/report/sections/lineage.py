"""Where everything came from: executions, runs, versions, digests."""

from __future__ import annotations

from components.report.page import ReportSection, Table
from components.report.run import ReportedRun
from components.report.words import duration


def lineage_section(run: ReportedRun) -> ReportSection:
    """Ids of the run and of its executions in ML Metadata, with their artifacts."""
    rows = tuple(
        (
            one.node,
            "re-used" if one.cached else duration(one.seconds),
            ", ".join(f"{key}: {path}" for key, path in one.outputs.items()),
            str(one.execution_id),
        )
        for one in run.nodes
    )
    columns = ("component", "time", "artifacts", "execution")
    table = Table("Executions in ML Metadata", columns, rows, left=3)
    return ReportSection("lineage", "Lineage", facts=run.lineage, tables=(table,))


def config_section(run: ReportedRun) -> ReportSection:
    """Every value of the configuration, folded."""
    rows = tuple(run.config.items())
    table = Table("", ("key", "value"), rows, left=2)
    return ReportSection("config", "Configuration", tables=(table,), folded=True)
