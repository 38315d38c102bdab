"""Opening the place where MLflow keeps runs: sqlite in the workspace, a database or a server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from components.file_lock import file_lock
from components.secrets import expanded, redacted, scrubbed
from components.sqlite_file import lock_problem, refuse_damaged
from components.tracking import known, library
from components.tracking.entries import shortened
from components.tracking.outage import StoreAwayError, is_outage, plain_reason, refuse_dead_host
from models.errors import BadInputError, ElmanError, FailedRunError

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SERVERS = ("http", "https", "databricks")
LOCK_SECONDS = 5.0
"""How long another process may hold a sqlite file before it counts as away."""
CALL = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""MLflow's own patience is minutes for each metric; what a dead server misses is kept and sent
later (`components.tracking.delivery`), so that training need not wait for it."""
UPLOAD = {**CALL, "MLFLOW_HTTP_REQUEST_TIMEOUT": "120"}
"""A server answers an upload when it has passed the file on."""


@dataclass(frozen=True)
class TrackingStore:
    """An opened store.

    Attributes:
        client: `mlflow.MlflowClient` for runs and registered models.
        uri: Its address, with any password in it: for MLflow only.
        shown: Its address for people.
        artifacts: Where files are kept; None where a server decides.
        folder: Where the workspace keeps what it knows of the store and has for it.
        away: Why the store does not answer, though this workspace has reached it before; empty if
            it does. `client` then tries again whenever it is used.
    """

    client: Any
    uri: str
    shown: str
    artifacts: Path | None
    folder: Path = field(default_factory=Path)
    away: str = ""

    def experiment(self, name: str) -> str:
        """Id of the experiment `name`, made if missing.

        Raises:
            BadInputError: If it was deleted.
            StoreAwayError: If the store does not answer and the experiment was never opened.
            FailedRunError: If the store cannot be used.
        """
        remembered = known.experiments(self.folder).get(name)
        if self.away and remembered is not None:
            return remembered
        try:
            found = self._experiment(name)
        except StoreAwayError:
            if remembered is None:
                raise
            return remembered
        with suppress(OSError):  # only a later run, with the store away, would miss it
            known.remember(self.folder, name, found)
        return found

    def _experiment(self, name: str) -> str:
        with self.asked("open the experiment"):
            found = self.client.get_experiment_by_name(name)
            if found is None:
                location = None if self.artifacts is None else self.artifacts.as_uri()
                try:
                    return str(self.client.create_experiment(name, artifact_location=location))
                except library.load().exceptions.MlflowException:
                    # Two runs may start at once: the other one was first.
                    found = self.client.get_experiment_by_name(name)
                    if found is None:
                        raise
            if found.lifecycle_stage != "active":
                raise BadInputError(
                    f"the experiment {name!r} in {self.shown} was deleted; restore it "
                    f"(mlflow experiments restore -x {found.experiment_id}) or give another name "
                    "as tracking.experiment"
                )
            return str(found.experiment_id)

    @contextmanager
    def asked(self, what: str, *, patience: dict[str, str] | None = None) -> Iterator[None]:
        """Turns errors of the store inside the block into words for people.

        Args:
            what: What was attempted: `open the experiment`.
            patience: How long to wait for a server, as MLflow's environment variables; None:
                `CALL`. Variables that are set already are left as they are.

        Raises:
            StoreAwayError: If the store does not answer now, but may later.
            FailedRunError: For any other error of MLflow, its database or its server.
        """
        try:
            with _environment(CALL if patience is None else patience):
                yield
        except StoreAwayError as error:
            raise self._error(what, error.reason, StoreAwayError) from error
        except (ElmanError, KeyboardInterrupt):
            raise
        except Exception as error:
            if not _of_the_store(error):
                raise
            if is_outage(error):
                reason = plain_reason(error) or _first_line(error)
                raise self._error(what, reason, StoreAwayError) from error
            raise self._error(what, _first_line(error), FailedRunError) from error

    def _error(self, what: str, reason: str, kind: type[FailedRunError]) -> FailedRunError:
        words = (
            f"could not {what} in the tracking store {self.shown}: {reason}; "
            "check that it runs and that you may write to it, then run again"
        )
        return StoreAwayError(words, reason=reason) if kind is StoreAwayError else kind(words)


def default_uri(workspace: Path) -> str:
    """Address of the sqlite store of `workspace`."""
    return f"sqlite:///{workspace.resolve() / 'mlflow' / 'mlflow.db'}"


def open_store(uri: str | None, workspace: Path) -> TrackingStore:
    """Opens the tracking store `uri`, or that of `workspace`; makes a new database ready.

    Args:
        uri: `sqlite:///file`, another database, `http(s)://server`; `${NAME}` is taken from the
            environment. None: `<workspace>/mlflow/mlflow.db`.
        workspace: Holds the default store, and the files of every store that is no server.

    Raises:
        BadInputError: If `uri` is no address of a store, or the server refuses the credentials.
        FailedRunError: If the store cannot be reached or used. One that this workspace has reached
            before and that does not answer now is no error: see `TrackingStore.away`.
    """
    shown = redacted(default_uri(workspace) if uri is None else uri)
    address = default_uri(workspace) if uri is None else expanded(uri)
    scheme = address.partition(":")[0].partition("+")[0].lower()
    if scheme not in DATABASES + SERVERS:
        raise BadInputError(
            f"tracking.uri {shown!r} is no address of a tracking store: expected "
            "sqlite:///file.db, postgresql://..., mysql://..., mssql://..., http://server or "
            "https://server (MLflow no longer keeps runs in plain folders), or null for a "
            "database in the workspace"
        )
    if "?" in address and uri is None:
        raise BadInputError(f"the workspace path holds a question mark: {workspace}; rename it")
    folder = workspace.resolve() / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    remembers = known.store_folder(workspace, shown)
    if scheme in SERVERS:
        return _server(TrackingStore(None, address, shown, None, remembers))
    return _database(TrackingStore(None, address, shown, folder / "artifacts", remembers), folder)


def _database(store: TrackingStore, folder: Path) -> TrackingStore:
    file = Path(store.uri.partition(":///")[2].partition("?")[0])
    if store.uri.startswith("sqlite"):
        file.parent.mkdir(parents=True, exist_ok=True)
        refuse_damaged(
            file,
            "the tracking database",
            "it holds the runs of the past: put a copy from before in its place, or move it away "
            "to begin with an empty one, then run again",
        )

    def client() -> Any:
        # MLflow itself would try for minutes to open what it cannot open.
        refuse_dead_host(store.uri)
        if problem := lock_problem(file, "the tracking database", timeout=LOCK_SECONDS):
            raise StoreAwayError(problem)
        mlflow = library.load()
        # A new database goes through all of MLflow's migrations: only one process may do that.
        with file_lock(folder / ".lock", f"tracking store {store.shown}", timeout=300.0):
            made = mlflow.MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
            made.search_experiments(max_results=1)
        return made

    try:
        with store.asked("open a database"):
            return replace(store, client=client())
    except StoreAwayError as error:
        if not known.experiments(store.folder):
            raise
        return replace(store, client=LateClient(client), away=error.reason)


def _server(store: TrackingStore) -> TrackingStore:
    mlflow, shown = library.load(), store.shown
    client = mlflow.MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
    try:
        with _environment(CALL):
            client.search_experiments(max_results=1)
    except Exception as error:
        words = _first_line(error)
        status = getattr(getattr(error, "response", None), "status_code", None)
        code = str(getattr(error, "error_code", ""))
        if status in (401, 403) or code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            raise BadInputError(
                f"the tracking server {shown} refused the credentials: {words}; set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            ) from None
        if not _of_the_store(error):
            raise
        there = status == 404 or code == "ENDPOINT_NOT_FOUND"
        if is_outage(error) and not there and known.experiments(store.folder):
            return replace(store, client=client, away=plain_reason(error) or words)
        raise FailedRunError(
            f"the tracking server {shown} does not answer as MLflow does: {words}; check the "
            "address in tracking.uri and that the server runs, or set tracking.uri to null to "
            "track in the workspace"
        ) from None
    return replace(store, client=client)


class LateClient:
    """Stands for a client whose database is away; opens it when it is used."""

    def __init__(self, make: Callable[[], Any]) -> None:
        """Takes what opens the database; called again on every use until it succeeds."""
        self._make = make
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        """The attribute of the client proper."""
        if self._client is None:
            self._client = self._make()
        return getattr(self._client, name)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Sets variables that are not set already, for the block."""
    mine = {k: v for k, v in values.items() if k not in os.environ}
    os.environ.update(mine)
    try:
        yield
    finally:
        for name in mine:
            os.environ.pop(name, None)


def _of_the_store(error: BaseException) -> bool:
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return bool(packages & {"mlflow", "sqlalchemy", "requests", "urllib3", "sqlite3"}) or (
        isinstance(error, OSError)
    )


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return shortened(scrubbed(lines[0].strip()) if lines else type(error).__name__, 300)
