"""What `elman gc` does: a plan for the workspace of a configuration, and its execution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from components.housekeeping.lineage import Lineage, needed
from components.housekeeping.plan import RUN_ID, Plan, make_plan
from components.housekeeping.runs import Ended, kept_runs
from components.housekeeping.sweep import Swept, sweep
from components.push import directory
from components.push.repository import ModelRepository
from components.spans.state import FOLDER, INCOMING, SpanState
from models.errors import BadInputError
from pipeline.config import LoadedConfig
from pipeline.runner import ledger
from pipeline.runner.lineage import MetadataFile
from pipeline.runner.lock import locked

DATABASE = "metadata.db"
KEEP_RUNS = 5


@dataclass(frozen=True)
class Housekeeping:
    """A plan, and the means to carry it out while the workspace stays locked."""

    plan: Plan
    database: MetadataFile
    repository: ModelRepository

    def carry_out(self, checkpoint: Callable[[str], None] = lambda _: None) -> Swept:
        """Removes what the plan says.

        Args:
            checkpoint: Called with the name of each step that is done.
        """
        staging = [item.path for item in self.plan.items if item.kind == "staging"]
        if staging:
            self.repository.tidy()  # under the lock of the model directory: a rollback may run
        rest = tuple(item for item in self.plan.items if item.kind != "staging")
        swept = sweep(
            replace(self.plan, items=rest), self.database.mark_deleted, checkpoint=checkpoint
        )
        gone = tuple(path for path in staging if not path.exists())
        return replace(swept, removed=(*gone, *swept.removed))


@contextmanager
def housekeeping(loaded: LoadedConfig, *, keep: int = KEEP_RUNS) -> Iterator[Housekeeping]:
    """Locks the workspace and looks what may go.

    Args:
        loaded: The configuration; other configurations of the same workspace lose nothing.
        keep: How many of the newest runs stay, and how many of the newest that finished.

    Raises:
        BadInputError: If there is no workspace, or no run in it.
        FailedRunError: If another process uses the workspace.
    """
    workspace = loaded.workspace
    if not (workspace / DATABASE).is_file():
        raise BadInputError(
            f"{workspace} holds no {DATABASE}: no run has been made there yet, so there is "
            "nothing to remove"
        )
    with locked(workspace):
        database = MetadataFile(workspace / DATABASE)
        lineage = database.lineage()
        repository = ModelRepository(loaded.serving_directory)
        yield Housekeeping(_plan(loaded, lineage, database, repository, keep), database, repository)


def _plan(
    loaded: LoadedConfig,
    lineage: Lineage,
    database: MetadataFile,
    repository: ModelRepository,
    keep: int,
) -> Plan:
    own = {loaded.config.name}
    everything = lineage.runs(own)
    # Runs of single spans have ids of their own and go with their Examples.
    whole = [run for run in everything if RUN_ID.fullmatch(run)]
    ended = {
        entry.run_id: Ended(entry.status == "finished", entry.pushed)
        for entry in ledger.entries(loaded.workspace)
    }
    kept = kept_runs(
        whole,
        ended,
        {*repository.versions(), *repository.rolled_back()},
        database.pushed(lineage),
        keep,
    )
    pinned = _pinned(loaded, lineage)
    parts = {e.run for e in lineage.executions if e.pipeline in own and e.outputs & pinned}
    parts |= {run for run in everything if any(run.startswith(one) for one in kept)}
    runs = kept | {run for run in parts if run not in whole}
    base, incoming = loaded.serving_directory, loaded.workspace / FOLDER / INCOMING
    return make_plan(
        loaded.workspace,
        lineage,
        own=own,
        runs=runs,
        kept=needed(lineage, own, runs, pinned),
        recent=whole[-keep:][0] if whole else "",
        staging=directory.stale(base),
        left=sorted((incoming / loaded.config.name).glob("*")),
    )


def _pinned(loaded: LoadedConfig, lineage: Lineage) -> frozenset[int]:
    """The Examples of spans that the next run can take."""
    state = SpanState.load(loaded.workspace, loaded.config.name)
    spans = getattr(loaded.config.data, "spans", None)
    good = [n for n in state.numbers if (known := state.known(n)) is not None and known.good]
    if spans is not None and spans.keep is not None:
        good = good[-spans.keep :]
    entries = [state.known(number) for number in good]
    folders = {Path(e.good.uri) for e in entries if e is not None and e.good is not None}
    return frozenset(a.id for a in lineage.artifacts.values() if a.live and Path(a.uri) in folders)
