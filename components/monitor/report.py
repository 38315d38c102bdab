"""`MonitorReport`: what the monitor found, as `monitor.json` in its artifact keeps it.

`outcomes["monitor"].outputs["monitor"] / "monitor.json"`; beside it the file `decision` holds one
word: go, stop or hold. `read(folder)` gives the report back. Needs neither TFX nor MLflow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from components.monitor.config import Action
from models.errors import FailedRunError
from models.section import Section

FORMAT = 1
FILE = "monitor.json"
DECISION = "decision"

CheckName = Literal["data", "skew", "concept"]
State = Literal["drifted", "steady", "not_checked"]
Decision = Literal["go", "stop", "hold"]


class Bins(Section):
    """Both distributions of one column, as they were compared.

    Attributes:
        labels: What each bin holds, in words or as bounds; the last one is `missing`.
        reference: Share of the training values in each bin; they sum to 1.
        new: The same of the new values.
    """

    labels: tuple[str, ...]
    reference: tuple[float, ...]
    new: tuple[float, ...]


class Finding(Section):
    """One value held against its limit.

    Attributes:
        subject: The column; `error` for concept drift.
        measure: `jensen_shannon` (0 to 1, base 2), `l_infinity` (0 to 1) or `ratio` (new error over
            backtest error).
        value: What was measured.
        threshold: Smallest value that counts, as configured.
        level: From where on a value is far out among those of the same measure over ranges of the
            same length inside the training data (the backtest, for the ratio); null where there
            are too few. See `components.monitor.levels`.
        ranges: How many such ranges; 0 where there is no level.
        rank: Share of those ranges whose value is below this one, 0 to 1; null without a level.
        limit: What `value` has to exceed: the larger of `threshold` and `level`.
        drifted: Whether it does.
        bins: The distributions; null for the ratio.
    """

    subject: str
    measure: Literal["jensen_shannon", "l_infinity", "ratio"]
    value: float
    threshold: float
    level: float | None
    ranges: int
    rank: float | None
    limit: float
    drifted: bool
    bins: Bins | None = None


class ErrorSeries(Section):
    """Errors of the champion through time, for a figure: the backtest, then the new windows.

    Attributes:
        unit: Of the errors, in words.
        backtest: Mean error in the backtest.
        new: Mean error on the new windows.
        metric: The gate's metric.
        backtest_metric: Its value in the backtest, natural units; null if not known.
        new_metric: Its value on the new windows; null if not defined.
        backtest_times: Unix seconds of forecast origins (of the first in each group of origins).
        backtest_errors: Mean error at each.
        new_times: As `backtest_times`.
        new_errors: As `backtest_errors`.
    """

    unit: str
    backtest: float
    new: float
    metric: str
    backtest_metric: float | None
    new_metric: float | None
    backtest_times: tuple[int, ...]
    backtest_errors: tuple[float, ...]
    new_times: tuple[int, ...]
    new_errors: tuple[float, ...]


class Check(Section):
    """One of the three checks.

    Attributes:
        name: `data`, `skew` or `concept`.
        action: What drift leads to.
        state: `not_checked` says nothing on drift; `reason` says why.
        reason: In words; empty for `steady`.
        waiting: Whether it was not checked only because too little is new yet.
        size: New rows, requests or windows looked at.
        start: ISO time (UTC) of the first of them; empty where not known.
        end: Of the last one.
        findings: The largest excess over its limit first.
        errors: Of concept drift only.
    """

    name: CheckName
    action: Action
    state: State
    reason: str = ""
    waiting: bool = False
    size: int = 0
    start: str = ""
    end: str = ""
    findings: tuple[Finding, ...] = ()
    errors: ErrorSeries | None = None


class WatchedChampion(Section):
    """The model that is watched; times are ISO 8601 UTC.

    Attributes:
        version: In the serving directory.
        digest: Of the model.
        train_start: First time of its training data.
        train_end: Last time of its training data.
        data_end: Last time of all data that its run saw; rows after it are new.
        reference: Where its training distribution is from: `model` (kept beside it) or `data`
            (made again from the rows of this run, for models that keep none).
    """

    version: str
    digest: str
    train_start: str
    train_end: str
    data_end: str
    reference: Literal["model", "data"]


class MonitorReport(Section):
    """What the monitor found. Keys are stable: new ones may be added, none is renamed or removed.

    Attributes:
        format: Version of this layout.
        decision: `go`: train. `stop`: end the run as blocked. `hold`: end it well, train nothing.
        summary: The decision in one sentence.
        reasons: Every reason for it.
        champion: Null when there is none; then nothing is checked.
        new_rows: Rows after the end of the champion's data.
        new_series: Ids of series that its training did not have, at most 20.
        gone_series: Ids of series that have no new row, at most 20.
        checks: Those configured, in the order data, skew, concept.
    """

    format: int = FORMAT
    decision: Decision
    summary: str
    reasons: tuple[str, ...] = ()
    champion: WatchedChampion | None = None
    new_rows: int = 0
    new_series: tuple[str, ...] = ()
    gone_series: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the checks that found drift."""
        return tuple(check.name for check in self.checks if check.state == "drifted")


def write(report: MonitorReport, folder: Path) -> None:
    """Writes `decision` and, last, `monitor.json` into `folder`, made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DECISION).write_text(report.decision + "\n")
    part = folder / f"{FILE}.part"
    part.write_text(report.model_dump_json(indent=1) + "\n")
    part.replace(folder / FILE)


def read(folder: Path) -> MonitorReport:
    """The report in `folder`.

    Raises:
        FailedRunError: If there is none.
    """
    path = folder / FILE
    if not path.is_file():
        raise FailedRunError(f"{folder} holds no {FILE}: run the pipeline again")
    return MonitorReport.from_json(path.read_text())
