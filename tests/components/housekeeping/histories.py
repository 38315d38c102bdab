"""Random histories of a workspace: runs whose nodes make artifacts, or take them from the cache."""

from __future__ import annotations

from hypothesis import strategies as st

from components.housekeeping.lineage import Artifact, Execution, Lineage

NODES = ("ingest", "statistics", "windows", "train", "push")
OWN, OTHER = "co2", "another"
ROOT = "/w/artifacts"


def run_id(number: int) -> str:
    """Of the run with this number; run ids sort as their numbers do."""
    return f"2026-01-{1 + number // 24:02d}T{number % 24:02d}-00-00.000000"


@st.composite
def histories(draw: st.DrawFn, root: str = ROOT) -> Lineage:
    """Up to ten runs of two pipelines; some end early, some use what other nodes left long ago."""
    artifacts: dict[int, Artifact] = {}
    executions: list[Execution] = []
    for number in range(draw(st.integers(0, 10))):
        pipeline = draw(st.sampled_from([OWN, OWN, OWN, OTHER]))
        for node in NODES[: draw(st.integers(1, len(NODES)))]:
            before = sorted(artifacts)
            used = frozenset(draw(st.sets(st.sampled_from(before), max_size=3))) if before else ()
            twins = [e for e in executions if (e.pipeline, e.node) == (pipeline, node)]
            where = {"id": len(executions) + 1, "pipeline": pipeline, "run": run_id(number)}
            if twins and draw(st.booleans()):  # from the cache: same inputs, same outputs
                twin = draw(st.sampled_from(twins))
                made = Execution(**where, node=node, inputs=twin.inputs, outputs=twin.outputs)
            else:
                made = Execution(**where, node=node, inputs=frozenset(used), outputs=frozenset())
                fresh = set()
                for key in range(draw(st.integers(0, 2))):
                    new = len(artifacts) + 1
                    uri = f"{root}/{node}/out{key}/{made.id}"
                    artifacts[new] = Artifact(new, uri, live=draw(st.integers(0, 9)) > 0)
                    fresh.add(new)
                made = Execution(**where, node=node, inputs=made.inputs, outputs=frozenset(fresh))
            executions.append(made)
    return Lineage(artifacts, tuple(executions))
