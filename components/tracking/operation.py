"""`Operation`: one thing to write into a tracking store, now or later, as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from components.tracking import library

Kind = Literal["create", "batch", "inputs", "artifact", "end"]
PARENT = "mlflow.parentRunId"
ID = "elman.id"
"""Tag with the id that a run had before the store gave it one: a run that is sent again after a
broken answer is found by it, not made twice."""


@dataclass(frozen=True)
class Operation:
    """What is to be written into one run. Doing it twice is the same as doing it once.

    Attributes:
        kind: `create` a run, a `batch` of parameters, metrics and tags, `inputs` (a data set), an
            `artifact` (a file or folder), or the `end` of a run.
        run: The run: its id in the store, or one that `Delivery` made up for it.
        what: For messages: `record metrics`.
        body: JSON values; times are Unix milliseconds, as they were when it happened.
        source: File or folder of an artifact.
    """

    kind: Kind
    run: str
    what: str
    body: Mapping[str, Any] = field(default_factory=dict)
    source: Path | None = None

    def to_json(self) -> str:
        """All but the source, which is kept beside it."""
        return json.dumps(
            {"kind": self.kind, "run": self.run, "what": self.what, "body": dict(self.body)}
        )

    @classmethod
    def from_json(cls, text: str, source: Path | None) -> Operation:
        """The operation that `to_json` wrote.

        Raises:
            ValueError: If `text` is none.
        """
        try:
            data = json.loads(text)
            return cls(data["kind"], data["run"], data["what"], data["body"], source)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no operation: {text[:100]}") from error


def perform(client: Any, operation: Operation, real: Callable[[str], str]) -> str:
    """Writes `operation` into the store.

    Args:
        client: `mlflow.MlflowClient`.
        operation: What to write.
        real: The store's id of a run.

    Returns:
        The id of the run in the store.
    """
    body = operation.body
    if operation.kind == "create":
        return _create(client, body, real)
    run = real(operation.run)
    entities = library.load().entities
    if operation.kind == "batch":
        client.log_batch(
            run,
            metrics=[entities.Metric(*m) for m in body.get("metrics", ())],
            params=[entities.Param(*p) for p in body.get("params", ())],
            tags=[entities.RunTag(*t) for t in body.get("tags", ())],
        )
    elif operation.kind == "inputs":
        tag = entities.InputTag("mlflow.data.context", body["context"])
        given = entities.DatasetInput(entities.Dataset(**body["dataset"]), [tag])
        client.log_inputs(run, [given])
    elif operation.kind == "artifact":
        source = operation.source
        assert source is not None
        if source.is_dir():
            client.log_artifacts(run, str(source), body["path"])
        else:
            client.log_artifact(run, str(source), body["path"])
    else:
        client.set_terminated(run, body["status"], end_time=body["time"])
    return run


def _create(client: Any, body: Mapping[str, Any], real: Callable[[str], str]) -> str:
    tags = dict(body["tags"])
    if body.get("again"):
        found = client.search_runs(
            [body["experiment"]], f"tags.`{ID}` = '{tags[ID]}'", max_results=1
        )
        if found:
            return str(found[0].info.run_id)
    if PARENT in tags:
        tags[PARENT] = real(tags[PARENT])
    run = client.create_run(
        body["experiment"], start_time=body["time"], tags=tags, run_name=body["name"]
    )
    return str(run.info.run_id)
