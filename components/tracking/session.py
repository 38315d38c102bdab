"""`RunTracker`: one MLflow run per pipeline run, and a nested one per component that speaks."""

from __future__ import annotations

import getpass
import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from components.secrets import scrubbed
from components.tracking.delivery import Delivery
from components.tracking.entries import (
    DIGEST_LENGTH,
    TAG_LENGTH,
    plain,
    shortened,
    text_of,
)
from components.tracking.mlflow_recorder import Listener, MlflowRecorder
from components.tracking.nested import NestedRun
from components.tracking.operation import PARENT, Operation
from components.tracking.orphans import WORKSPACE, close_orphans, workspace_id
from components.tracking.outage import StoreAwayError
from components.tracking.process import identity
from components.tracking.recorder import use
from components.tracking.revision import revision_tags
from components.tracking.store import TrackingStore
from models.errors import ElmanError, FailedRunError

logger = logging.getLogger(__name__)
Status = Literal["FINISHED", "FAILED", "KILLED"]
START_SECONDS = 300.0
"""What is sent at a time at the start and the end of a run; the rest follows."""


class RunTracker:
    """Tracks one pipeline run.

    Attributes:
        store: Where runs are kept.
        delivery: Brings everything there, now or when the store is back.
        experiment_id: The experiment they belong to.
        nested: The run of each component that had something to say.
        failed: The component that an exception has left; empty if none has.
        warnings: What components warned of, in order.
    """

    def __init__(
        self,
        store: TrackingStore,
        experiment: str,
        workspace: Path,
        listener: Listener | None = None,
    ) -> None:
        """Opens the experiment.

        Args:
            store: From `open_store`.
            experiment: Name of the experiment; made if missing.
            workspace: Folder of the pipeline's state; names runs that a kill has left behind.
            listener: Hears progress and warnings of components.

        Raises:
            BadInputError: If the experiment was deleted.
            FailedRunError: If the store cannot be used. One that is away for a while is no error.
        """
        self.store = store
        self._listener = listener
        self.delivery = Delivery(store, self._say)
        self.experiment_id = store.experiment(experiment)
        self._run_id = ""
        self.nested: dict[str, str] = {}
        self.failed = ""
        self.warnings: list[str] = []
        self._workspace = workspace_id(workspace)
        self._recorder: MlflowRecorder | None = None

    @property
    def run_id(self) -> str:
        """The parent run; empty before `start`.

        While the store is away it is an id of our own, `local-...`, which the run has as its tag
        `elman.id` once the store knows it.
        """
        return self.delivery.resolve(self._run_id)

    @property
    def recorder(self) -> MlflowRecorder:
        """Writes to the parent run.

        Raises:
            RuntimeError: Before `start`.
        """
        if self._recorder is None:
            raise RuntimeError("start the run before recording anything in it")
        return self._recorder

    def close_orphans(self, *, locked: bool = False) -> tuple[str, ...]:
        """Sends what earlier runs have kept for the store, and closes those that were killed.

        Call it before `start`. While the store is away there is nothing to be done.

        Args:
            locked: Whether the caller holds the workspace's lock; then every run that is still
                open was killed. Otherwise only runs of ended processes of this host are closed.

        Returns:
            Ids of the runs that were closed.
        """
        if self.store.away:
            return ()
        try:
            if not self.delivery.flush(limit=START_SECONDS):
                return ()
            return close_orphans(self.store, self.experiment_id, self._workspace, locked=locked)
        except StoreAwayError:
            return ()  # the next operation finds out, and says so

    def start(
        self,
        name: str,
        params: Mapping[str, Any],
        tags: Mapping[str, str] | None = None,
        *,
        source: Path | None = None,
        description: str = "",
    ) -> str:
        """Starts the parent run.

        Args:
            name: Of the run, for people.
            params: The configuration, nested or flat; passwords in it are masked.
            tags: Further tags.
            source: The configuration file; its folder's git revision becomes tags.
            description: Markdown shown with the run.

        Returns:
            The run's id.

        Raises:
            FailedRunError: If the store cannot be used.
        """
        known = {"mlflow.user": _user(), "mlflow.source.type": "LOCAL", **(tags or {})}
        if source is not None:
            known |= {"mlflow.source.name": str(source), **revision_tags(source.resolve().parent)}
        if description:
            known["mlflow.note.content"] = description
        self._run_id = self._create(name, known, int(time.time() * 1000))
        self._recorder = MlflowRecorder(
            self.delivery, lambda: self._run_id, listener=self._listener
        )
        self._recorder.params(params)
        return self.run_id

    @contextmanager
    def component(self, node_id: str) -> Iterator[MlflowRecorder]:
        """Runs a component in a nested run, with its recorder as the current one.

        The nested run is made when the component first says something (a component taken from the
        cache says nothing) or fails. It ends FINISHED, FAILED after an exception, or KILLED after
        KeyboardInterrupt; the exception goes on.
        """
        since = int(time.time() * 1000)
        parent = self._run_id
        run: list[str] = []

        def run_id() -> str:
            if not run:
                tags = {PARENT: parent, "elman.component": node_id}
                run.append(self._create(node_id, tags, since))
                self.nested[node_id] = run[0]
            return run[0]

        recorder = MlflowRecorder(
            self.delivery, run_id, listener=self._listener, parent_run_id=parent, nest=self._nest
        )
        try:
            with use(recorder):
                yield recorder
        except BaseException as error:
            self.failed = node_id
            status: Status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
            try:
                self._end(run_id(), status, error=error)
            except ElmanError as second:
                error.add_note(f"Besides, {second}")  # never instead of what went wrong first
            raise
        finally:
            self.warnings.extend(recorder.warnings)
        if run:
            self._end(run[0], "FINISHED")

    def tag_execution(self, node_id: str, execution_id: int, *, cached: bool = False) -> None:
        """Tags the parent run with a component's execution in ML Metadata."""
        tags = {f"elman.execution.{node_id}": str(execution_id)}
        if cached:
            tags[f"elman.cached.{node_id}"] = "true"
        self.recorder.tags(tags)

    def log_dataset(
        self,
        name: str,
        *,
        source: str,
        digest: str,
        context: str = "training",
        schema: Mapping[str, str] | None = None,
        profile: Mapping[str, Any] | None = None,
    ) -> None:
        """Names the data that the run used.

        Args:
            name: Of the data set, for people.
            source: File, glob or database URL; passwords in it are masked.
            digest: Of the data; MLflow keeps the first 36 characters, the tag
                `elman.data.digest` all of them.
            context: What it was used for.
            schema: Type by column, such as `{"co2": "double"}`.
            profile: Any figures: rows, range of times.

        Raises:
            FailedRunError: If the store cannot be used.
        """
        columns = [
            {"name": column, "type": kind, "required": False}
            for column, kind in (schema or {}).items()
        ]
        dataset = {
            "name": shortened(name, 500),
            "digest": digest[:DIGEST_LENGTH],
            "source_type": "local" if "://" not in source else "external",
            "source": json.dumps({"uri": scrubbed(source)}),
            "schema": json.dumps({"mlflow_colspec": columns}) if columns else None,
            "profile": json.dumps(plain(profile)) if profile else None,
        }
        body = {"dataset": dataset, "context": context}
        self.delivery.send(Operation("inputs", self.run_id, "name the data set", body))
        self.recorder.tags({"elman.data.digest": digest})

    def finish(
        self,
        status: Status = "FINISHED",
        tags: Mapping[str, str] | None = None,
        *,
        description: str = "",
        error: BaseException | None = None,
    ) -> None:
        """Ends the parent run.

        Args:
            status: How it ended.
            tags: The verdict and whatever else is known now.
            description: Markdown shown with the run.
            error: What ended it, if something did.

        Raises:
            FailedRunError: If the store cannot be used.
        """
        known = dict(tags or {})
        if description:
            known["mlflow.note.content"] = description
        if known:
            self.recorder.tags(known)
        self._end(self.run_id, status, error=error)
        waiting = len(self.delivery.outbox)
        if waiting and not self.delivery.flush(limit=START_SECONDS):
            self._say(
                f"{len(self.delivery.outbox)} entries for the tracking store {self.store.shown} "
                f"are kept in {self.delivery.outbox.folder}; the next run sends them"
            )

    def _say(self, text: str) -> None:
        logger.warning("%s", text)
        if self._listener is not None:
            self._listener.warn(text)

    def _nest(self, parent: str, name: str, tags: Mapping[str, str]) -> NestedRun:
        known = {**tags, PARENT: parent}
        run_id = self._create(name, known, int(time.time() * 1000))
        return NestedRun(self.delivery, run_id, self._end_nested)

    def _end_nested(self, run_id: str, status: Status, message: str) -> None:
        self._end(run_id, status, error=FailedRunError(message) if message else None)

    def _create(self, name: str, tags: Mapping[str, str], start: int) -> str:
        everything = {**tags, **identity(), WORKSPACE: self._workspace}
        texts = {k: shortened(text_of(v), TAG_LENGTH) for k, v in everything.items()}
        body = {"experiment": self.experiment_id, "name": name, "tags": texts, "time": start}
        return self.delivery.create(Operation("create", "", "start a run", body))

    def _end(self, run_id: str, status: Status, *, error: BaseException | None = None) -> None:
        now = int(time.time() * 1000)
        if error is not None:
            words = f"{type(error).__name__}: {scrubbed(str(error))}"
            tags = [("elman.error", shortened(words, TAG_LENGTH))]
            self.delivery.send(Operation("batch", run_id, "end a run", {"tags": tags}))
        body = {"status": status, "time": now}
        self.delivery.send(Operation("end", run_id, "end a run", body))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user id without a name
        return "unknown"
