"""`RunResult`: what a run came to, for machines (JSON) and for people (a table)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.backtest.winner import CANDIDATE
from components.spans.summary import SpansSummary
from components.tune.result import TuningSummary
from models.section import Section
from pipeline.tasks.task import DataResult, SequencesResult

if TYPE_CHECKING:
    from pipeline.runner.launch import NodeOutcome


class NodeResult(Section):
    """One component: how long it took, or that its earlier artifacts were re-used."""

    node: str
    cached: bool
    seconds: float
    execution_id: int

    @classmethod
    def of(cls, outcome: NodeOutcome) -> NodeResult:
        """What became of a component, for the result."""
        return cls(
            node=outcome.node,
            cached=outcome.cached,
            seconds=round(outcome.seconds, 3),
            execution_id=outcome.execution_id,
        )


class PushResult(Section):
    """Whether a version was pushed, and where to."""

    pushed: bool
    version: int | None
    directory: str
    reason: str


class RunResult(Section):
    """What a run came to.

    Attributes:
        name: The configuration's name.
        run_id: Id of the run in ML Metadata.
        data: The data that went in.
        unit: What splits are counted in: windows or sequences.
        windows: That many by split.
        metric: The gate's metric.
        higher_is_better: Of that metric.
        shown: The metrics that people look at first, the gate's among them.
        models: Metrics by model (`candidate`, `champion`, baselines), natural units.
        blessed: Whether a model was blessed: the candidate, or a baseline in its place.
        winner: Which: `candidate` or the baseline's name; null if none was.
        held: Whether nothing was trained, because the champion still holds; then `models` is empty.
        drift: What the monitor found, in a sentence; empty where nothing is watched.
        tuning: The values that a search has found for this run; null without one.
        spans: Which spans were trained on, new, blocked; null where the data comes in one piece.
        summary: The verdict in one sentence.
        reasons: Every reason for the verdict.
        push: What was pushed.
        live: The version that serves now.
        mlflow_uri: Tracking store, without secrets.
        mlflow_run_id: The parent run.
        report: The file of the run's report; empty if it could not be made.
        nodes: The components in order.
        seconds: Wall time of the run, imports included.
    """

    name: str
    run_id: str
    data: DataResult | SequencesResult
    unit: str
    windows: dict[str, int]
    metric: str
    higher_is_better: bool
    shown: tuple[str, ...]
    models: dict[str, dict[str, float | None]]
    blessed: bool
    winner: str | None = None
    held: bool = False
    drift: str = ""
    tuning: TuningSummary | None = None
    spans: SpansSummary | None = None
    summary: str
    reasons: tuple[str, ...]
    push: PushResult
    live: int | None
    mlflow_uri: str
    mlflow_run_id: str
    report: str = ""
    nodes: tuple[NodeResult, ...]
    seconds: float


def render(result: RunResult, *, config: str, console: Console) -> None:
    """Prints `result` for a person.

    Args:
        result: What happened.
        config: The configuration file as the person typed it, for the next command.
        console: Where to.
    """
    console.print()
    for label, text in _facts(result):
        _line(console, label, text)
    console.print()
    if result.models:
        console.print(_models(result))
    for label, text in _verdict(result, config):
        _line(console, label, text)


def _line(console: Console, label: str, text: str) -> None:
    # Not a table: paths and sentences must stay in one piece for people to copy.
    console.print(f"{label:<10}{text}", soft_wrap=True)


def _facts(result: RunResult) -> Iterator[tuple[str, str]]:
    yield "data", result.data.words
    if result.spans is not None:
        yield "spans", escape(result.spans.words)
    yield result.unit, ", ".join(f"{split} {n:,}" for split, n in result.windows.items())
    if result.tuning is not None:
        yield "tuned", escape(result.tuning.words)
    reused = sum(node.cached for node in result.nodes)
    if result.drift and not result.held:
        yield "drift", escape(result.drift)
    yield "run", f"{result.seconds:.0f} s, {reused} of {len(result.nodes)} components re-used"


def _models(result: RunResult) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"on the test {result.unit}")
    for column in result.shown:
        mark = " (gate)" if column == result.metric else ""
        table.add_column(column.upper() + mark, justify="right")
    for name in sorted(result.models, key=partial(_rank, result)):
        figures = result.models[name]
        style = "bold" if name == CANDIDATE else None
        table.add_row(name, *(_figure(figures.get(column)) for column in result.shown), style=style)
    return table


def _rank(result: RunResult, name: str) -> float:
    value = result.models[name].get(result.metric)
    if value is None:
        return float("inf")
    return -value if result.higher_is_better else value


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _verdict(result: RunResult, config: str) -> Iterator[tuple[str, str]]:
    color = "green" if result.blessed or result.held else "yellow"
    word, _, rest = result.summary.partition(":")
    yield "verdict", f"[{color}]{escape(word)}[/]:{escape(rest)}"
    for reason in result.reasons:
        yield "", f"· {escape(reason)}"
    push = result.push
    if push.pushed:
        what = "" if result.winner in (None, CANDIDATE) else f" (the baseline {result.winner})"
        yield "pushed", f"version {push.version}{escape(what)} in {escape(push.directory)}"
    else:
        yield "pushed", f"nothing: {escape(push.reason)}"
    if result.live is not None and result.live != push.version:
        yield "serving", f"version {result.live}"
    if result.report:
        yield "report", escape(result.report)
    yield "MLflow", f"run {result.mlflow_run_id} in {escape(result.mlflow_uri)}"
    follow = "status" if result.live is not None else "check"
    yield (
        "next",
        f"[bold]elman ui {escape(config)}[/]  or  [bold]elman {follow} {escape(config)}[/]",
    )
