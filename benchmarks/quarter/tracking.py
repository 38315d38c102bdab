"""An MLflow server of its own, that can be away for a night."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

from components.tracking.library import QUIET


class TrackingServer:
    """`mlflow server` on this machine; what it knows is in `folder` and outlives it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self._folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(self._port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self._folder / 'mlflow.db'}"]
        command += ["--artifacts-destination", str(self._folder / "artifacts")]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **QUIET, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            )
        for _ in range(600):
            try:
                httpx.get(f"{self.uri}/health", timeout=2.0).raise_for_status()
                return
            except httpx.HTTPError:
                time.sleep(0.5)
        raise SystemExit(f"the tracking server does not start: {self._folder / 'server.log'}")

    def stop(self) -> None:
        """Ends it at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def statuses(self) -> dict[str, int]:
        """How many runs it knows by status, without those inside others."""
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=self.uri)
        experiments = [found.experiment_id for found in client.search_experiments()]
        runs = client.search_runs(experiments, max_results=1000)
        return dict(
            Counter(run.info.status for run in runs if "mlflow.parentRunId" not in run.data.tags)
        )
