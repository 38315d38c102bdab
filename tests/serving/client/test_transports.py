"""Servers that misbehave: reset connections, full queues, slow or strange answers."""

from __future__ import annotations

import http.server
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
import pytest

from models.errors import BadInputError, FailedRunError
from serving.client import ForecastClient
from serving.status import Code, ServingError
from serving.transport.connect import connect
from serving.transport.retry import Budget, Retry
from serving.transport.server import Server
from serving.transport.transport import Wanted

Reply = Callable[[http.server.BaseHTTPRequestHandler], None]
STATUS = {
    "model_version_status": [
        {"version": "7", "state": "LOADING", "status": {"error_code": "OK", "error_message": ""}},
        {"version": "9", "state": "AVAILABLE", "status": {"error_code": "OK"}},
    ]
}


def says(status: int, body: Any) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return reply


def resets(handler: http.server.BaseHTTPRequestHandler) -> None:
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def cut_off(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"model')
    handler.close_connection = True


def drips(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


class Scripted:
    """An HTTP server whose answers are told beforehand."""

    def __init__(self, server: http.server.ThreadingHTTPServer, closing: ExitStack) -> None:
        self.replies: list[Reply] = []
        self.asked: list[tuple[str, str, bytes]] = []
        self.url = f"http://127.0.0.1:{server.server_port}"
        self._closing = closing

    def transport(self) -> Any:
        transport = connect(self.url)
        self._closing.callback(transport.close)
        return transport

    def client(self) -> ForecastClient:
        return self._closing.enter_context(ForecastClient(self.url, "m"))


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.asked.append((self.command, self.path, body))
            found.replies.pop(0)(self)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        with ExitStack() as closing:
            found = Scripted(server, closing)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield found
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (resets, Code.UNAVAILABLE),
        (cut_off, Code.UNAVAILABLE),
        (says(503, {"error": "not yet"}), Code.UNAVAILABLE),
        (says(429, {"error": "queue is full"}), Code.RESOURCE_EXHAUSTED),
        (says(502, b"<html>Bad Gateway</html>"), Code.UNAVAILABLE),
    ],
)
def test_what_may_pass_is_sent_again(scripted: Scripted, trouble: Reply, code: Code) -> None:
    scripted.replies = [trouble]
    with pytest.raises(ServingError) as caught:
        scripted.transport().versions("m", 60)
    assert caught.value.code is code
    scripted.replies = [trouble, trouble, says(200, STATUS)]
    with ForecastClient(scripted.url, "m") as client:
        assert [(v.version, v.state) for v in client.versions()] == [
            (9, "AVAILABLE"),
            (7, "LOADING"),
        ]
    assert len(scripted.asked) == 4


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, Code.INVALID_ARGUMENT, BadInputError),
        (401, Code.UNAUTHENTICATED, BadInputError),
        (403, Code.PERMISSION_DENIED, BadInputError),
        (413, Code.INVALID_ARGUMENT, BadInputError),
        (500, Code.INTERNAL, FailedRunError),
        (504, Code.DEADLINE_EXCEEDED, FailedRunError),
        (301, Code.UNKNOWN, FailedRunError),
        (418, Code.UNKNOWN, FailedRunError),
    ],
)
def test_what_would_come_out_the_same_is_not(
    scripted: Scripted, status: int, code: Code, kind: type[Exception]
) -> None:
    scripted.replies = [says(status, {"error": "so it is"})] * 2
    with pytest.raises(ServingError) as caught:
        scripted.transport().versions("m", 60)
    assert caught.value.code is code
    assert caught.value.message == "so it is"
    with ForecastClient(scripted.url, "m") as client, pytest.raises(kind, match="so it is"):
        client.versions()
    assert len(scripted.asked) == 2


@pytest.mark.parametrize("body", [b"", b"hello", b"[1]", b"{}", b'{"model_version_status": [1]}'])
def test_an_answer_of_something_else_is_a_failure(scripted: Scripted, body: bytes) -> None:
    scripted.replies = [says(200, body)] * 3
    client = scripted.client()
    with pytest.raises(FailedRunError, match="is it a model server's REST port"):
        client.versions()
    with pytest.raises(FailedRunError, match="is it a model server's REST port"):
        client.metadata()
    with pytest.raises(ServingError, match="is it a model server"):
        scripted.transport().predict(Wanted("m"), "s", {}, ["a", "b"], 60)


def test_an_answer_that_drips_ends_with_the_time(scripted: Scripted) -> None:
    scripted.replies = [drips]
    with pytest.raises(ServingError) as caught:
        scripted.transport().versions("m", 0.5)
    assert caught.value.code is Code.DEADLINE_EXCEEDED


def test_names_cannot_leave_their_place_in_the_path(scripted: Scripted) -> None:
    scripted.replies = [says(200, STATUS)] * 2
    transport = scripted.transport()
    transport.versions("../../etc?x=1#y", 60)
    with pytest.raises(ServingError):
        transport.serving(Wanted("m", label="a/b"), 60)
    assert [path for _, path, _ in scripted.asked] == [
        "/v1/models/..%2F..%2Fetc%3Fx%3D1%23y",
        "/v1/models/m/labels/a%2Fb/metadata",
    ]


def test_values_travel_exactly(scripted: Scripted) -> None:
    numbers = np.array([[1 / 3, 1e-42, 3.4028235e38], [-0.1, 1e20, 0.0]], np.float32)
    scripted.replies = [says(200, {"outputs": {"a": numbers.tolist(), "b": [1]}})]
    inputs = {
        "x": numbers,
        "t": np.array([2**62 + 1], np.int64),
        "w": np.array(["ü", b"b", 'q"'], object),
    }
    got = scripted.transport().predict(Wanted("m", 3), "s", inputs, ["a", "b"], 60)
    np.testing.assert_array_equal(got["a"].astype(np.float32), numbers)
    method, path, body = scripted.asked[0]
    assert (method, path) == ("POST", "/v1/models/m/versions/3:predict")
    sent = json.loads(body)
    assert sent["signature_name"] == "s"
    np.testing.assert_array_equal(np.asarray(sent["inputs"]["x"], np.float32), numbers)
    assert sent["inputs"]["t"] == [2**62 + 1]
    assert sent["inputs"]["w"] == ["ü", "b", 'q"']


def test_a_grpc_server_that_comes_up_late_is_waited_for() -> None:
    import grpc
    from tensorflow_serving.apis import (
        get_model_status_pb2,
        model_service_pb2_grpc,
    )

    class Models(model_service_pb2_grpc.ModelServiceServicer):
        full = 2

        def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
            if self.full:
                self.full -= 1
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "queue is full")
            answer = get_model_status_pb2.GetModelStatusResponse()
            answer.model_version_status.add(version=4, state=30)
            return answer

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    waits: list[float] = []
    server = grpc.server(ThreadPoolExecutor(2))
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Models(), server)

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            assert server.add_insecure_port(f"127.0.0.1:{port}") == port
            server.start()
        time.sleep(0.3)

    transport = connect(f"grpc://127.0.0.1:{port}")
    asked = Server(transport, Retry(200, sleep=sleep), "it")
    try:
        (version,) = asked.versions("m", Budget(120))
    finally:
        transport.close()
        server.stop(None)
    assert (version.version, version.state) == (4, "AVAILABLE")
    assert len(waits) >= 5


def test_a_request_that_is_too_large_is_not_sent_again() -> None:
    import grpc

    class TooLarge(grpc.RpcError):
        def code(self) -> Any:
            return grpc.StatusCode.RESOURCE_EXHAUSTED

        def details(self) -> str:
            return "SERVER: Received message larger than max (9 vs. 4)"

    def refuse(*_: Any, **__: Any) -> Any:
        raise TooLarge

    transport: Any = connect("grpc://127.0.0.1:1")
    transport._models.GetModelStatus = refuse
    with pytest.raises(ServingError) as caught:
        transport.versions("m", 1)
    transport.close()
    assert caught.value.code is Code.INVALID_ARGUMENT
