"""Ports and files are had before anything slow starts, or it is told that they cannot be."""

from __future__ import annotations

import dataclasses
import json
import socket
from pathlib import Path

import pytest

from serving.engine.settings import ServedModel
from serving.server import ports
from serving.server.errors import StartError
from serving.server.ready import Ready, prepare
from serving.server.run import reserved
from serving.server.settings import AccessLogSettings, ServerSettings

HOST = "127.0.0.1"


def test_zero_is_any_port_that_is_free() -> None:
    with ports.bound(HOST, 0, "port") as one, ports.bound(HOST, 0, "port") as two:
        assert ports.number(one) != ports.number(two) != 0


def test_a_port_on_which_another_listens_is_taken() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = ports.number(other)
        words = rf"port {port} of {HOST} is taken; stop what listens there, or give another x port"
        with pytest.raises(StartError, match=words), ports.bound(HOST, port, "x port") as taken:
            ports.listen(taken, "x port")


def test_a_port_whose_server_has_just_ended_is_free() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = ports.number(other)
        with socket.create_connection((HOST, port)) as client:
            accepted, _ = other.accept()
            accepted.close()  # the server's side waits for the last packets of this connection
            client.recv(1)
    with ports.bound(HOST, port, "port") as again:
        ports.listen(again, "port")


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_that_is_not_of_this_machine(host: str) -> None:
    with pytest.raises(StartError, match=f"cannot listen on {host}"):
        ports.bound(host, 0, "port")


def test_ipv6_with_and_without_brackets() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    for host in ("::1", "[::1]"):
        with ports.bound(host, 0, "port") as taken:
            assert taken.family == socket.AF_INET6


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    return ServerSettings((ServedModel("m", tmp_path),), grpc_port=0, rest_port=0)


def test_what_is_reserved_is_free_again_afterwards(settings: ServerSettings) -> None:
    with reserved(settings) as held:
        port = ports.number(held.rest)
        assert held.grpc_port not in (0, port)
    with socket.create_server((HOST, port)):
        pass


def test_a_taken_grpc_port_is_told_first(settings: ServerSettings) -> None:
    with socket.create_server((HOST, 0)) as other:
        wanted = dataclasses.replace(settings, grpc_port=ports.number(other))
        with pytest.raises(StartError, match="gRPC port"), reserved(wanted):
            pass


def test_an_access_log_that_cannot_be_written_is_told_first(settings: ServerSettings) -> None:
    wanted = dataclasses.replace(settings, access_log=AccessLogSettings("/nothing/there"))
    with pytest.raises(StartError, match="access log"), reserved(wanted):
        pass


READY = Ready("embedded", HOST, 1, 2, False, "/m", {"co2": (3, 4), "b": ()}, 9)


def test_the_line_for_people() -> None:
    assert READY.line() == (
        "ready: co2 3, 4; b (no version yet) | REST http://127.0.0.1:2/v1/models | "
        "gRPC 127.0.0.1:1 | embedded engine"
    )
    v6 = dataclasses.replace(READY, host="::1", tls=True, versions={})
    assert v6.line() == (
        "ready: no models | REST https://[::1]:2/v1/models | gRPC [::1]:1 | embedded engine"
    )
    assert "REST off" in dataclasses.replace(READY, rest_port=None).line()


def test_the_file_for_programs(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("of an earlier server")
    prepare(path)
    assert not path.exists()
    READY.write(path)
    assert json.loads(path.read_text()) == {
        "engine": "embedded",
        "host": HOST,
        "grpc_port": 1,
        "rest_port": 2,
        "rest_url": "http://127.0.0.1:2",
        "tls": False,
        "metrics_path": "/m",
        "versions": {"co2": [3, 4], "b": []},
        "pid": 9,
    }
    assert [p.name for p in tmp_path.iterdir()] == ["ready.json"]


def test_a_ready_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="ready file"):
        prepare(tmp_path / "no" / "folder.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StartError, match="cannot replace"):
        prepare(tmp_path / "folder")
    with pytest.raises(StartError, match="cannot write the ready file"):
        READY.write(tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
