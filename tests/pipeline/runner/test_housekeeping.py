"""Which spans stay: those of the range, those of kept runs, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.housekeeping.lineage import Artifact, Execution, Lineage
from components.housekeeping.plan import Plan
from components.push.repository import ModelRepository
from components.spans.span import Span
from components.spans.state import Entry, Known, SpanState
from pipeline.config import LoadedConfig, load
from pipeline.runner import housekeeping as module

CONFIG = """\
name: co2
workspace: work
data: {path: "day-{SPAN}.csv", time: t, frequency: h, spans: {keep: KEEP, on_blocked: skip}}
targets: [y]
window: {lookback: 2, horizon: 1}
"""
NIGHTS = 6


def run_id(night: int) -> str:
    return f"2026-01-0{night}T00-00-00.000000"


class NoPushes:
    """A database in which nothing was pushed."""

    def pushed(self, _: Lineage) -> dict[int, str]:
        return {}


def workspace(folder: Path, keep: str) -> tuple[LoadedConfig, Lineage]:
    """Six nights: each ingests its span and trains on the newest two; night 6 is blocked."""
    path = folder / "co2.yaml"
    path.write_text(CONFIG.replace("KEEP", keep))
    loaded = load(path)
    artifacts: dict[int, Artifact] = {}
    executions: list[Execution] = []
    state = SpanState()

    def execute(run: str, node: str, inputs: set[int], made: bool = True) -> int:
        number = len(executions) + 1
        if made:
            uri = loaded.workspace / "artifacts" / node / "out" / str(number)
            uri.mkdir(parents=True)
            artifacts[number] = Artifact(number, str(uri))
        outputs = frozenset({number} if made else ())
        executions.append(Execution(number, "co2", run, node, frozenset(inputs), outputs))
        return number

    examples: dict[int, int] = {}
    for night in range(1, NIGHTS + 1):
        run = f"{run_id(night)}.span-{night}-0"
        examples[night] = execute(run, "span_ingest", set())
        statistics = execute(run, "span_statistics", {examples[night]})
        execute(run, "span_validate", {statistics}, made=night < NIGHTS)
        entry = Entry(
            span=Span(number=night, version=0, label=str(night), content="c", files=()),
            settings="s",
            code="c",
            schema_digest="",
            error="bad" if night == NIGHTS else "",
            uri=artifacts[examples[night]].uri,
            artifact_id=examples[night],
        )
        known = Known(blocked=entry) if night == NIGHTS else Known(good=entry)
        state = state.model_copy(update={"spans": {**state.spans, str(night): known}})
        used = {examples[n] for n in (night - 1, night) if n in examples}
        execute(run_id(night), "spans", used, made=False)
        joined = execute(run_id(night), "ingest", used)
        execute(run_id(night), "train", {joined})
    state.save(loaded.workspace, "co2")
    return loaded, Lineage(artifacts, tuple(executions))


def plan(loaded: LoadedConfig, lineage: Lineage, keep: int) -> Plan:
    database: Any = NoPushes()
    repository = ModelRepository(loaded.serving_directory)
    return module._plan(loaded, lineage, database, repository, keep)


def nights(lineage: Lineage, plan: Plan, node: str) -> list[int]:
    """Nights whose artifact of `node` stays."""
    of = {
        lineage.artifacts[i].uri: int(e.run[8:10])
        for e in lineage.executions
        if e.node == node
        for i in e.outputs
    }
    return sorted(of[str(path)] for path in plan.kept if str(path) in of)


@pytest.mark.parametrize(
    ("keep", "runs", "trained", "spans"),
    [
        # The last run used 5 and 6; the range of good ones is 4 and 5.
        ("2", 1, [6], [4, 5, 6]),
        ("1", 1, [6], [5, 6]),
        ("2", 3, [4, 5, 6], [3, 4, 5, 6]),
        ("null", 1, [6], [1, 2, 3, 4, 5, 6]),
    ],
)
def test_spans_of_the_range_and_of_kept_runs_stay(
    tmp_path: Path, keep: str, runs: int, trained: list[int], spans: list[int]
) -> None:
    loaded, lineage = workspace(tmp_path, keep)
    made = plan(loaded, lineage, runs)
    assert nights(lineage, made, "train") == nights(lineage, made, "ingest") == trained
    assert nights(lineage, made, "span_ingest") == spans
    # The statistics of a span that the next run can take stay, too: they would be made again.
    in_range = 5 if keep == "null" else int(keep)
    expected = {*range(6 - in_range, 6), *trained}
    assert nights(lineage, made, "span_statistics") == sorted(expected)
    assert made.items


def test_pieces_of_a_killed_ingestion_go(tmp_path: Path) -> None:
    loaded, lineage = workspace(tmp_path, "2")
    piece = loaded.workspace / "spans" / "incoming" / "co2" / "7"
    piece.mkdir(parents=True)
    other = loaded.workspace / "spans" / "incoming" / "another" / "7"
    other.mkdir(parents=True)
    paths = [item.path for item in plan(loaded, lineage, 9).items]
    assert piece in paths
    assert other not in paths
