"""What the monitor tells the tracking store."""

from __future__ import annotations

import re

from components.monitor.figures import figures
from components.monitor.report import Check, MonitorReport
from components.tracking.recorder import current

NAMES = {"data": "drift", "skew": "skew", "concept": "concept"}
_UNFIT = re.compile(r"[^A-Za-z0-9_. /-]+")


def record(report: MonitorReport) -> None:
    """Sends metrics, figures, the report and the decision to the recorder, and warns of drift.

    Metrics: `drift_<column>`, `drift_limit_<column>` and `drift_max_excess` (the largest distance
    over its limit, above 1 where something drifted); the same with `skew`; `concept_ratio`,
    `concept_limit`, `concept_error`; `new_rows`; and for each check 1 or 0 as `<name>_drifted`.
    """
    recorder = current()
    recorder.metrics({"new_rows": float(report.new_rows)})
    for check in report.checks:
        recorder.metrics(_metrics(check))
        if check.state == "drifted":
            recorder.warn(f"drift: {check.reason}")
    for path, figure in figures(report):
        recorder.figure(figure, path)
    recorder.data(report.model_dump(mode="json"), "monitor.json")
    recorder.tags(
        {
            "decision": report.decision,
            "monitor": report.summary,
            "drifted": ", ".join(report.drifted),
        }
    )


def _metrics(check: Check) -> dict[str, float]:
    if check.state == "not_checked":
        return {}
    name = NAMES[check.name]
    values = {f"{name}_drifted": float(check.state == "drifted")}
    for found in check.findings:
        if check.name == "concept":
            values |= {"concept_ratio": found.value, "concept_limit": found.limit}
        else:
            subject = _UNFIT.sub("_", found.subject)
            values |= {f"{name}_{subject}": found.value, f"{name}_limit_{subject}": found.limit}
    excess = [f.value / f.limit for f in check.findings if f.limit > 0]
    if excess:
        values[f"{name}_max_excess"] = max(excess)
    if check.errors is not None:
        values["concept_error"] = check.errors.new
        values["concept_backtest_error"] = check.errors.backtest
    return values
