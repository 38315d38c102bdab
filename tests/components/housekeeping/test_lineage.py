"""What has to stay, against a closure by matrices; and which runs are kept."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.housekeeping.lineage import Artifact, Execution, Lineage, needed
from components.housekeeping.runs import Ended, kept_runs
from tests.components.housekeeping.histories import OWN, histories, run_id


def reached(lineage: Lineage, runs: set[str], pinned: set[int]) -> set[int]:
    """By the transitive closure of "needs", as a boolean matrix multiplied until it stands."""
    size = max(lineage.artifacts, default=0) + 1
    needs = np.eye(size, dtype=bool)
    for execution in lineage.executions:
        for made in execution.outputs:
            for other in (*execution.inputs, *execution.outputs):
                needs[made, other] = True
    while True:
        further = (needs.astype(np.int64) @ needs) > 0
        if (further == needs).all():
            break
        needs = further
    start = np.zeros(size, bool)
    start[list(pinned)] = True
    for execution in lineage.executions:
        if execution.pipeline != OWN or execution.run in runs:
            start[[*execution.inputs, *execution.outputs]] = True
    return {int(i) for i in np.flatnonzero(start @ needs)}


@given(histories(), st.data())
def test_what_stays_is_exactly_the_closure(lineage: Lineage, data: st.DataObject) -> None:
    everything = lineage.runs({OWN})
    runs = data.draw(st.sets(st.sampled_from(everything))) if everything else set()
    known = sorted(lineage.artifacts)
    pinned = data.draw(st.sets(st.sampled_from(known), max_size=2)) if known else set()
    assert needed(lineage, {OWN}, runs, pinned) == reached(lineage, runs, pinned)


def test_a_resolver_does_not_hold_all_that_it_ever_found() -> None:
    # Night n trains on spans n-1 and n; with a range of two, span 1 is needed by nobody on day 4.
    artifacts = {n: Artifact(n, f"/w/span/{n}") for n in range(1, 5)}
    executions = [
        Execution(night, OWN, run_id(night), "spans", inputs=frozenset({night - 1, night}))
        for night in range(2, 5)
    ]
    executions += [
        Execution(10 + n, OWN, f"{run_id(n)}.span-{n}", "span_ingest", outputs=frozenset({n}))
        for n in artifacts
    ]
    lineage = Lineage(artifacts, tuple(executions))
    assert needed(lineage, {OWN}, {run_id(4)}) == {3, 4}
    assert needed(lineage, {OWN}, set(), {4}) == {4}


RUNS = [run_id(n) for n in range(8)]


def test_the_newest_runs_stay_and_the_newest_that_finished() -> None:
    ended = {run: Ended(finished=number < 3) for number, run in enumerate(RUNS[:6])}
    assert kept_runs(RUNS, ended, (), {}, 2) == {RUNS[1], RUNS[2], RUNS[6], RUNS[7]}
    assert kept_runs(RUNS, {}, (), {}, 1) == {RUNS[7]}
    assert kept_runs([], ended, (), {}, 2) == frozenset()


def test_runs_whose_version_is_still_there_stay() -> None:
    ended = {RUNS[0]: Ended(True, pushed=70), RUNS[1]: Ended(True, pushed=71)}
    # The ledger's line of the run that pushed 72 is lost; ML Metadata knows it.
    assert kept_runs(RUNS, ended, {71, 72}, {70: RUNS[0], 72: RUNS[3]}, 1) == {
        RUNS[1],
        RUNS[3],
        RUNS[7],
    }


@given(st.data())
def test_no_run_that_counts_is_ever_lost(data: st.DataObject) -> None:
    runs = RUNS[: data.draw(st.integers(0, 8))]
    pushed = dict(enumerate(runs))
    ended = {
        run: Ended(data.draw(st.booleans()), data.draw(st.none() | st.integers(0, 7)))
        for run in data.draw(st.sets(st.sampled_from(runs)) if runs else st.just(set()))
    }
    versions = data.draw(st.sets(st.integers(0, 7)))
    keep = data.draw(st.integers(1, 4))
    kept = kept_runs(runs, ended, versions, pushed, keep)
    finished = [run for run in runs if run in ended and ended[run].finished]
    for position, run in enumerate(runs):
        counts = len(runs) - position <= keep
        counts |= run in finished and len(finished) - finished.index(run) <= keep
        counts |= run in ended and ended[run].pushed in versions
        counts |= any(pushed[v] == run for v in versions if v in pushed)
        assert (run in kept) is counts
