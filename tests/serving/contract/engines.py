"""Servers to hold the contract against: the embedded one, and TF Serving where it is installed.

Both are told the same by the same flags and files, for the embedded server has the flags of
`tensorflow_model_server`.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from tests.serving.contract import messages
from tests.serving.contract.half_plus_two import copy_version

BINARY = "tensorflow_model_server"
PATIENCE = 90.0
"""Seconds to wait for what must come; only there so that a test fails instead of hanging."""


@dataclass(frozen=True)
class Setup:
    """What a server is started with.

    Attributes:
        models: The text of models.config's `config` entries; `{root}` is the folder of the models.
        versions: Model versions that are there from the start, by (folder, version).
        batching: The text of a batching parameters file; None: no batching.
        reads_config_again: Whether models.config is looked at again every second.
        labels_first: Whether labels may name versions that are not loaded yet.
        flags: Further flags.
    """

    models: str
    versions: Mapping[tuple[str, int], Path] = field(default_factory=dict)
    batching: str | None = None
    reads_config_again: bool = False
    labels_first: bool = True
    flags: tuple[str, ...] = ()


class Running(ABC):
    """A server that runs, with its models under `root`."""

    poll_seconds = 1.0

    def __init__(self, folder: Path, setup: Setup) -> None:
        self.root = folder / "models"
        self.root.mkdir(parents=True)
        self.config = folder / "models.config"
        self.write_config(setup.models)
        for (model, version), source in setup.versions.items():
            self.push(source, model, version)
        (folder / "monitoring.config").write_text(
            'prometheus_config { enable: true, path: "/monitoring/prometheus/metrics" }', "utf-8"
        )
        self.flags = [
            f"--model_config_file={self.config}",
            f"--model_config_file_poll_wait_seconds={int(setup.reads_config_again)}",
            f"--monitoring_config_file={folder / 'monitoring.config'}",
            "--max_num_load_retries=0",
            f"--allow_version_labels_for_unavailable_models={str(setup.labels_first).lower()}",
            *setup.flags,
        ]
        if setup.batching is not None:
            (folder / "batching.config").write_text(setup.batching, "utf-8")
            self.flags += [
                "--enable_batching=true",
                f"--batching_parameters_file={folder / 'batching.config'}",
            ]

    @property
    @abstractmethod
    def grpc_port(self) -> int:
        """Where gRPC is served."""

    @property
    @abstractmethod
    def rest_port(self) -> int:
        """Where REST is served."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the server."""

    @cached_property
    def channel(self) -> grpc.Channel:
        return grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}")

    @cached_property
    def prediction(self) -> Any:
        """The stub of PredictionService."""
        return prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    @cached_property
    def model_service(self) -> Any:
        """The stub of ModelService."""
        return model_service_pb2_grpc.ModelServiceStub(self.channel)

    def rest(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Sends a REST request; the path goes out as it is.

        Args:
            method: HTTP method.
            path: Path and query.
            body: Bytes or text as they are; anything else as JSON; None: no body.
            headers: Besides those that HTTP needs.

        Returns:
            Status, headers by lower-case name, and body.
        """
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.rest_port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def write_config(self, models: str) -> None:
        """Changes models.config, at one stroke."""
        text = f"model_config_list {{ {models.replace('{root}', str(self.root))} }}\n"
        new = self.config.with_suffix(".new")
        new.write_text(text, "utf-8")
        new.replace(self.config)

    def push(self, source: Path, model: str, version: int) -> Path:
        """Adds a version to the folder of `model`."""
        return copy_version(source, self.root / model, version)

    def remove(self, model: str, version: int) -> None:
        """Takes a version away, as a rollback does."""
        folder = self.root / model / str(version)
        shutil.rmtree(folder.rename(self.root / model / f".removed-{version}"))

    def states(self, model: str) -> dict[int, str]:
        """The names of the states of a model's versions; none if the model is not known."""
        from tensorflow_serving.apis import get_model_status_pb2

        try:
            answer = self.model_service.GetModelStatus(
                messages.status(messages.spec(model)), timeout=messages.SECONDS
            )
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE):
                return {}
            raise
        name = get_model_status_pb2.ModelVersionStatus.State.Name
        return {s.version: name(s.state) for s in answer.model_version_status}

    def available(self, model: str) -> set[int]:
        """The versions of a model that can be asked."""
        return {v for v, state in self.states(model).items() if state == "AVAILABLE"}

    def wait_for(self, model: str, *versions: int) -> None:
        """Waits until exactly these versions of a model can be asked."""
        self.until(lambda: self.available(model) == set(versions), lambda: self.states(model))

    def until(self, done: Callable[[], bool], shown: Callable[[], object]) -> None:
        """Waits until `done`; fails with what `shown` says if that takes too long."""
        end = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > end:
                raise AssertionError(f"not in {PATIENCE:.0f} s: {shown()}")
            time.sleep(0.05)

    def after_polls(self, count: int = 3) -> None:
        """Waits as long as the server takes to look `count` times for versions."""
        time.sleep(count * self.poll_seconds)


class TfServing(Running):
    """`tensorflow_model_server` in a process of its own."""

    def __init__(self, folder: Path, setup: Setup) -> None:
        super().__init__(folder, setup)
        self._ports = _free_port(), _free_port()
        self._log = (folder / "log.txt").open("wb")
        self._process = subprocess.Popen(
            [
                BINARY,
                *self.flags,
                f"--port={self.grpc_port}",
                f"--rest_api_port={self.rest_port}",
                "--file_system_poll_wait_seconds=1",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.until(self._answers, lambda: (folder / "log.txt").read_text()[-2000:])

    @property
    def grpc_port(self) -> int:
        return self._ports[0]

    @property
    def rest_port(self) -> int:
        return self._ports[1]

    def stop(self) -> None:
        self.channel.close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"{BINARY} ended: {Path(self._log.name).read_text()[-2000:]}")
        # A request without a model: refused by a server, and answered by nothing else.
        code, _ = messages.refused(self.model_service.GetModelStatus, messages.status(None))
        return code == "INVALID_ARGUMENT"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tf_serving_refuses_config(file: Path) -> str:
    """What TF Serving says of a models.config that it does not start with."""
    done = subprocess.run(
        [BINARY, f"--model_config_file={file}", f"--port={_free_port()}"],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr.decode()
