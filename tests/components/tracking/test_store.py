"""Opening a store: where it is, what it refuses, and how soon it gives up."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.source_digest import ROOT
from components.tracking.store import TrackingStore, open_store
from models.errors import BadInputError, FailedRunError


def test_the_default_store_lives_in_the_workspace(
    tracking_store: TrackingStore, tmp_path: Path
) -> None:
    store = tracking_store
    experiment = store.experiment("co2")
    assert store.experiment("co2") == experiment
    location = store.client.get_experiment(experiment).artifact_location
    assert location == (tmp_path / "workspace" / "mlflow" / "artifacts").as_uri()
    assert store.shown == f"sqlite:///{tmp_path}/workspace/mlflow/mlflow.db"


def test_a_workspace_with_odd_characters(
    new_tracking_store: Callable[[str], TrackingStore], tmp_path: Path
) -> None:
    store = new_tracking_store("my #1 (50%) wörk")
    run = store.client.create_run(store.experiment("a")).info
    store.client.log_text(run.run_id, "hello", "note.txt")
    kept = tmp_path / "my #1 (50%) wörk" / "mlflow" / "artifacts" / run.run_id / "artifacts"
    assert (kept / "note.txt").read_text() == "hello"


def test_a_deleted_experiment_is_named(tracking_store: TrackingStore) -> None:
    store = tracking_store
    store.client.delete_experiment(store.experiment("gone"))
    with pytest.raises(BadInputError, match=r"'gone'.*was deleted; restore it"):
        store.experiment("gone")


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns", "ftp://host/x", "", "C:\\x"])
def test_what_is_no_store_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is no address of a tracking store"):
        open_store(uri, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="ELMAN_NO_SUCH"):
        open_store("https://me:${ELMAN_NO_SUCH}@host", tmp_path)


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server on this machine that answers everything with `status`; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"no")

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        address = f"http://me:hunter2@127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(FailedRunError, match="does not answer") as caught:
            open_store(address, tmp_path)
    assert "hunter2" not in str(caught.value)
    assert "http://me:***@127.0.0.1" in str(caught.value)
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, BadInputError, "refused the credentials"),
        (403, BadInputError, "refused the credentials"),
        (404, FailedRunError, "does not answer as MLflow does"),
    ],
)
def test_a_server_that_answers_something_else(
    tmp_path: Path, status: int, kind: type[Exception], words: str
) -> None:
    with answering(status) as port, pytest.raises(kind, match=words):
        open_store(f"http://127.0.0.1:{port}", tmp_path)


def test_importing_tracking_imports_neither_mlflow_nor_tensorflow() -> None:
    code = (
        "import sys; import components.tracking.session, components.push.node, "
        "components.push.status, components.push.rollback; "
        "print([m for m in ('mlflow', 'tensorflow', 'tfx', 'keras', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
