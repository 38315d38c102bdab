"""Requests that no good client sends: each gets its status, and the server answers on."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import Any

import grpc
import pytest
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import model_management_pb2

from tests.serving.contract import messages
from tests.serving.contract.embedded import EmbeddedServer
from tests.serving.contract.messages import SECONDS, predict, spec
from tests.serving.rpc.hostile_requests import ASKED, REQUESTS, X, tensor


def assert_answers(server: EmbeddedServer) -> None:
    """The server still gives a good answer to a good request, and serves what it served."""
    answer = server.prediction.Predict(predict(ASKED, X), timeout=SECONDS)
    assert list(answer.outputs["y"].float_val) == [3.0]
    assert server.available("default") == {123}


def as_bytes(request: Any, root: Path) -> bytes:
    if isinstance(request, bytes):
        return request
    if isinstance(request, model_management_pb2.ReloadConfigRequest):
        request = model_management_pb2.ReloadConfigRequest.FromString(request.SerializeToString())
        for config in request.config.model_config_list.config:
            config.base_path = config.base_path.replace("{root}", str(root))
    return bytes(request.SerializeToString())


@pytest.mark.parametrize("case", REQUESTS)
def test_is_refused(real: EmbeddedServer, case: str) -> None:
    service, method, request, expected, word = REQUESTS[case]
    way_out = real.root / "way-out"
    if not way_out.is_symlink():
        way_out.symlink_to("/etc")
    call = real.channel.unary_unary(f"/{service}/{method}")
    code, message = messages.refused(call, as_bytes(request, real.root))
    assert code == expected, message
    assert word in message
    for secret in (str(real.root), "Traceback", '.py"', "0x7"):
        assert secret not in message.replace("{root}", "")
    assert_answers(real)


def test_there_are_enough_of_them() -> None:
    assert len(REQUESTS) >= 25


def test_a_message_beyond_the_limit_is_refused(real: EmbeddedServer) -> None:
    large = predict(ASKED, {"x": tensor(shape=(2**24, 1), tensor_content=b"\0" * 2**26)})
    code, message = messages.refused(real.prediction.Predict, large)
    assert (code, "larger than max" in message) == ("RESOURCE_EXHAUSTED", True)
    assert_answers(real)


def test_a_message_that_is_large_only_when_decompressed_is_refused(real: EmbeddedServer) -> None:
    large = predict(ASKED, {"x": tensor(shape=(2**24, 1), tensor_content=b"\0" * 2**26)})

    def compressed(request: Any, timeout: float) -> Any:
        return real.prediction.Predict(request, timeout, compression=grpc.Compression.Gzip)

    code, _ = messages.refused(compressed, large)
    assert code == "RESOURCE_EXHAUSTED"
    assert_answers(real)


def test_strings_that_are_large_only_when_repeated_are_refused(real: EmbeddedServer) -> None:
    letters = tensor(types_pb2.DT_STRING, (2**23 + 1,), string_val=[b"x"])
    request = predict(spec("default", "classify_x_to_y"), {"inputs": letters})
    code, message = messages.refused(real.prediction.Predict, request)
    assert (code, "inputs" in message) == ("INVALID_ARGUMENT", True)
    assert_answers(real)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 4096,
        b"\0" * 65536,
    ],
    ids=["HTTP/1", "TLS", "HTTP/2 with broken frames", "zeros"],
)
def test_what_is_not_grpc_is_hung_up_on(real: EmbeddedServer, sent: bytes) -> None:
    with (
        socket.create_connection(("127.0.0.1", real.grpc_port), timeout=SECONDS) as connection,
        # The server may hang up at any time; that it answers others is what counts.
        contextlib.suppress(OSError),
    ):
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    assert_answers(real)
