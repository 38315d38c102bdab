"""The server as a process: asked, stopped, killed; what was asked before is answered."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.serving.server.prometheus_text import parse
from tests.serving.server.server_process import PATIENCE, ServerProcess, digest, embedded
from tests.serving.server.waiting_model import waiting_model

pytestmark = pytest.mark.slow

PATIENT = f"--rest_api_timeout_in_ms={int(PATIENCE * 1000)}"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waiting_model(tmp_path_factory.mktemp("waiting") / "1")


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Requests that name it are answered when somebody opens it for writing."""
    os.mkfifo(tmp_path / "gate")
    return tmp_path / "gate"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    servers: list[ServerProcess] = []

    def start(base: Path, *flags: str, **options: str) -> ServerProcess:
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        servers.append(embedded(folder, base, *flags, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def ask_grpc(channel: grpc.Channel, x: int, gate: Path | str = "") -> tuple[int, int]:
    """The double of `x`, and the version that made it."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([x], tf.int64))
    request.inputs["gate"].CopyFrom(tf.make_tensor_proto([str(gate)]))
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    response = stub.Predict(request, timeout=PATIENCE)
    doubled = tf.make_ndarray(response.outputs["y"])
    return int(doubled[0]), int(response.model_spec.version.value)


def ask_rest(client: httpx.Client, x: int, gate: Path | str = "") -> int:
    """The double of `x`."""
    asked = {"instances": [{"x": x, "gate": str(gate)}]}
    response = client.post("/v1/models/m:predict", json=asked)
    response.raise_for_status()
    (doubled,) = response.json()["predictions"]
    return int(doubled)


def requests_in_work(client: httpx.Client) -> tuple[float, float]:
    """Over REST, the one that asks for this included, and over gRPC."""
    page = parse(client.get("/monitoring/prometheus/metrics").text)
    name = ":elman:serving:requests_in_work"
    return page.value(name, entrypoint="REST"), page.value(name, entrypoint="GRPC")


@dataclass
class Load:
    """Clients that ask quickly, one after the other, until they are refused.

    Attributes:
        answered: How many requests were.
        lost: Errors of requests that had begun before `told`; a second before, because a client
            can be held up between its look at the clock and its request.
        told: When the server was told to stop.
    """

    rest: str
    grpc: str
    answered: int = 0
    lost: list[str] = field(default_factory=list)
    told: float = float("inf")

    def client(self, protocol: str) -> None:
        with (
            httpx.Client(base_url=self.rest, timeout=PATIENCE) as client,
            grpc.insecure_channel(self.grpc) as channel,
        ):
            while True:
                begun = time.monotonic()
                try:
                    doubled = ask_rest(client, 3) if protocol == "rest" else ask_grpc(channel, 3)[0]
                except (httpx.HTTPError, grpc.RpcError) as error:
                    if begun < self.told - 1:
                        self.lost.append(repr(error))
                    return
                assert doubled == 6
                self.answered += 1


def test_no_request_is_lost_when_it_stops(
    model: Path, gate: Path, tmp_path: Path, started: Callable[..., ServerProcess]
) -> None:
    shutil.copytree(model, tmp_path / "models" / "7")
    before = digest(tmp_path / "models")
    log = tmp_path / "access.log"
    server = started(tmp_path / "models", f"--access_log={log}", PATIENT)
    ready = server.wait_ready()
    assert ready["versions"] == {"m": [7]}
    assert ready["pid"] == server.process.pid
    rest, address = ready["rest_url"], f"127.0.0.1:{ready['grpc_port']}"
    assert re.search(rf"^ready: m 7 \| REST {rest}/v1/models \| gRPC {address}", server.out, re.M)

    taken = embedded(tmp_path / "second", tmp_path / "models", f"--port={ready['grpc_port']}")
    assert taken.end() == 2
    assert taken.err == (
        f"Error: port {ready['grpc_port']} of 127.0.0.1 is taken; stop what listens there, or give "
        "another gRPC port\n"
    )

    load = Load(rest, address)
    with (
        ThreadPoolExecutor(10) as pool,
        closing(server),  # whatever happens, so that no client waits for ever
        httpx.Client(base_url=rest, timeout=PATIENCE) as client,
        grpc.insecure_channel(address) as channel,
    ):
        quick = [pool.submit(load.client, p) for p in ("rest", "grpc") * 2]
        waiting_rest = [pool.submit(ask_rest, client, i, gate) for i in range(3)]
        waiting_grpc = [pool.submit(ask_grpc, channel, i, gate) for i in range(3)]

        def all_there() -> bool:
            rest_requests, grpc_requests = requests_in_work(client)
            return rest_requests >= 4 and grpc_requests >= 3 and load.answered > 20

        server.until(all_there, "under load")
        load.told = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.until(lambda: "stopping" in server.out, "stopping")
        for future in quick:  # they go on until the server takes no more
            future.result()
        assert not any(future.done() for future in (*waiting_rest, *waiting_grpc))
        opened = os.open(gate, os.O_RDWR)
        assert [future.result() for future in waiting_rest] == [0, 2, 4]
        assert [future.result() for future in waiting_grpc] == [(0, 7), (2, 7), (4, 7)]
        os.close(opened)
        assert server.end() == 0
    assert load.lost == []
    assert server.out.endswith("stopped\n")
    assert not server.ready_file.exists()
    assert "Traceback" not in server.err
    assert digest(tmp_path / "models") == before
    # What the server took in it has answered, whatever became of it on its way.
    statuses = Counter(json.loads(line)["status"] for line in log.read_text().splitlines())
    assert set(statuses) == {200, "OK"}
    assert statuses.total() >= load.answered + 6


def test_killed_in_mid_load_it_serves_the_right_version_again(
    model: Path, gate: Path, tmp_path: Path, started: Callable[..., ServerProcess]
) -> None:
    base = tmp_path / "models"
    for version in (7, 8):
        shutil.copytree(model, base / str(version))
    # What a push that was killed too may leave behind, and a version that cannot be loaded.
    shutil.copytree(model, base / ".staging-0123")
    (base / "9").mkdir()
    (base / "9" / "saved_model.pb").write_bytes(b"\xff\xff no model")
    before = digest(base)
    server = started(base)
    ready = server.wait_ready()
    load = Load(ready["rest_url"], f"127.0.0.1:{ready['grpc_port']}", told=0.0)
    clients = [threading.Thread(target=load.client, args=(p,)) for p in ("rest", "grpc") * 2]
    with closing(server):  # which kills it
        for client in clients:
            client.start()
        server.until(lambda: load.answered > 20, "under load")
    for client in clients:
        client.join(PATIENCE)
    assert digest(base) == before

    again = started(base, "--drain_seconds=0.5", PATIENT)
    ready = again.wait_ready()
    assert ready["versions"] == {"m": [8]}
    address = f"127.0.0.1:{ready['grpc_port']}"
    with (
        ThreadPoolExecutor(2) as pool,
        closing(again),
        httpx.Client(base_url=ready["rest_url"], timeout=PATIENCE) as client_again,
        grpc.insecure_channel(address) as channel,
    ):
        assert ask_grpc(channel, 4) == (8, 8)
        # What is not done in time when it stops is cut off, and that is told.
        cut = [
            pool.submit(ask_rest, client_again, 1, gate),
            pool.submit(ask_grpc, channel, 1, gate),
        ]
        again.until(lambda: requests_in_work(client_again) == (2, 1), "at work")
        again.process.send_signal(signal.SIGINT)
        errors = [future.exception() for future in cut]
        assert again.end() == 1
    assert "2 requests were not done after 0.5 s and were cut off" in again.err
    assert isinstance(errors[0], httpx.HTTPError)
    assert isinstance(errors[1], grpc.RpcError)
    assert digest(base) == before
