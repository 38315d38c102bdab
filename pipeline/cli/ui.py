"""`elman ui`: MLflow's web interface on the store of a configuration."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import click

from components.secrets import expanded, redacted
from components.tracking.library import QUIET
from components.tracking.pages import runs_page
from models.errors import BadInputError, FailedRunError


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def ui(config: Path, *, port: int, host: str) -> None:
    """Open MLflow on the runs of a configuration."""
    from pipeline.config import load

    loaded = load(config)
    uri = expanded(loaded.tracking_uri)
    if uri.startswith(("http://", "https://")):
        click.echo(f"Runs are on the tracking server: {redacted(uri)}")
        return
    file = Path(uri.partition(":///")[2])
    if uri.startswith("sqlite:///") and not file.exists():
        raise BadInputError(f"no runs yet: {file} does not exist; start with: elman run {config}")
    _refuse_taken(host, port)
    serve(uri, host, port, _runs(uri, loaded.experiment))


def serve(uri: str, host: str, port: int, page: str = "") -> None:
    """Runs an MLflow server on the store `uri` until it ends or the user interrupts it.

    Args:
        uri: A database, with any password in it.
        host: Address to listen on.
        port: Port to listen on.
        page: The page to send people to, such as `#/experiments/1/runs`.

    Raises:
        FailedRunError: If the server ends by itself with an error.
    """
    click.echo(f"MLflow will be on http://{host}:{port}/{page} in a moment (stop with Ctrl-C)")
    sys.stdout.flush()
    # One worker is enough for the people of one workspace, and starts in a quarter of the time.
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port)]
    command += ["--workers", "1"]
    environment = {
        # A server, too, would send usage statistics.
        **QUIET,
        # Ten processes for jobs that nobody gives it, which take longer to start than the server.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        **os.environ,
        # In the environment, where other users of the machine do not see a password.
        "MLFLOW_BACKEND_STORE_URI": uri,
    }
    process = subprocess.Popen(command, env=environment)
    # A service manager stops it as a person does, and the server must not outlive it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return
    finally:
        if process.poll() is None:
            process.kill()
    if code:
        raise FailedRunError(f"the MLflow server ended with {code}; its words are above")


def _runs(uri: str, experiment: str) -> str:
    """The page that lists the runs of `experiment`; empty if only MLflow can tell which it is."""
    if not uri.startswith("sqlite:///"):
        return ""
    file = Path(uri.partition(":///")[2].partition("?")[0])
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute(
                "SELECT experiment_id FROM experiments WHERE name = ?", (experiment,)
            ).fetchone()
    except sqlite3.Error:
        return ""
    return runs_page(found[0]) if found else ""


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadInputError(
                f"cannot listen on {host}:{port}: {error.strerror}; choose another --port"
            ) from None
