"""LocalDagRunner's loop over a compiled pipeline, with retries and a report per component.

The semantics are those of `tfx.orchestration.local.local_dag_runner.LocalDagRunner`: nodes one
after the other, in topological order, each through TFX's own `Launcher`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as mlmd_pb2
from tfx.dsl.compiler import compiler
from tfx.dsl.compiler import constants as compiler_constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import launcher, runtime_parameter_utils

from models.errors import FailedRunError
from pipeline.runner.display import Display
from pipeline.runner.retry import with_retries


@dataclass(frozen=True)
class NodeOutcome:
    """What became of one component.

    Attributes:
        node: The component's id.
        execution_id: Its execution in ML Metadata.
        cached: Whether an earlier execution's artifacts were re-used.
        seconds: Wall time.
        outputs: Folder of each output artifact, by output key.
    """

    node: str
    execution_id: int
    cached: bool
    seconds: float
    outputs: Mapping[str, Path] = field(default_factory=dict)


def launch(
    pipeline: Pipeline,
    *,
    run_id: str,
    around: Callable[[str], AbstractContextManager[Any]],
    display: Display,
    always: tuple[str, ...] = (),
    use_cache: bool = True,
    describe: Callable[[NodeOutcome], str] = lambda _: "",
) -> Iterator[NodeOutcome]:
    """Runs every component of `pipeline` in order and yields each outcome.

    Args:
        pipeline: The graph.
        run_id: Id of this run in ML Metadata; must be new.
        around: Gives the context in which component `node` runs (its tracking run).
        display: Shown what happens.
        always: Components that are never taken from the cache.
        use_cache: False runs every component anew.
        describe: One line about an outcome, for the display.

    Raises:
        ElmanError: As raised by a component.
        FailedRunError: If a component raised anything else, after its retries.
    """
    ir = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {compiler_constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    deployment = runner_utils.extract_local_deployment_config(ir)
    kind = deployment.metadata_connection_config.WhichOneof("connection_config")
    connection = getattr(deployment.metadata_connection_config, kind)
    workspace = Path(pipeline.pipeline_info.pipeline_root).parent

    def attempt(node: Any, name: str) -> Any:
        return launcher.Launcher(
            pipeline_node=node,
            mlmd_connection=metadata.Metadata(connection),
            pipeline_info=ir.pipeline_info,
            pipeline_runtime_spec=ir.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(deployment, name),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
        ).launch()

    for position, wrapped in enumerate(ir.nodes, start=1):
        node = wrapped.pipeline_node
        name = node.node_info.id
        if name in always or not use_cache:
            node.execution_options.caching_options.enable_cache = False
        display.starting(name, position, len(ir.nodes))
        since = time.monotonic()
        try:
            with around(name):
                info = with_retries(
                    name, partial(attempt, node, name), display=display, workspace=workspace
                )
        except BaseException:
            display.failed(name, time.monotonic() - since)
            raise
        outcome = _outcome(connection, name, info, time.monotonic() - since)
        display.finished(
            name, cached=outcome.cached, seconds=outcome.seconds, detail=describe(outcome)
        )
        yield outcome


def _outcome(
    connection: mlmd_pb2.ConnectionConfig, name: str, info: Any, seconds: float
) -> NodeOutcome:
    store = mlmd.MetadataStore(connection)
    if info is None or info.execution_id is None:
        raise FailedRunError(f"Component {name} did not run: an input artifact is missing.")
    [execution] = store.get_executions_by_id([info.execution_id])
    state = execution.last_known_state
    if state not in (mlmd_pb2.Execution.COMPLETE, mlmd_pb2.Execution.CACHED):
        raise FailedRunError(
            f"Component {name} ended in state {mlmd_pb2.Execution.State.Name(state)}; "
            "expected COMPLETE or CACHED. The log says more."
        )
    outputs = {
        event.path.steps[0].key: event.artifact_id
        for event in store.get_events_by_execution_ids([info.execution_id])
        if event.type in (mlmd_pb2.Event.OUTPUT, mlmd_pb2.Event.DECLARED_OUTPUT)
    }
    uris = {a.id: Path(a.uri) for a in store.get_artifacts_by_id(list(outputs.values()))}
    return NodeOutcome(
        node=name,
        execution_id=info.execution_id,
        cached=state == mlmd_pb2.Execution.CACHED,
        seconds=seconds,
        outputs={key: uris[artifact] for key, artifact in outputs.items()},
    )


def close_orphans(database: Path) -> int:
    """Marks executions that a killed run left RUNNING as FAILED.

    Call it with the workspace locked: then no execution can be alive.

    Args:
        database: The sqlite file of ML Metadata; may be missing.

    Returns:
        How many there were.
    """
    if not database.exists():
        return 0
    store = mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(database)))
    running = [
        execution
        for execution in store.get_executions()
        if execution.last_known_state in (mlmd_pb2.Execution.RUNNING, mlmd_pb2.Execution.NEW)
    ]
    for execution in running:
        execution.last_known_state = mlmd_pb2.Execution.FAILED
    if running:
        store.put_executions(running)
    return len(running)
