"""Every hostile request gets its status, and then a good one its answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.serving.rest.hostile_requests import GOOD, LIMITS, TABLE, P
from tests.serving.rest.raw_http import exchange, post

if TYPE_CHECKING:
    from tests.serving.rest.in_process import InProcess


@pytest.fixture(scope="module")
def port(in_process: InProcess) -> Iterator[int]:
    """A server on a socket, as the embedded one has it."""
    from serving.server.rest_server import RestServer

    app = in_process.build(limits=LIMITS)
    server = RestServer(app, context=None, max_header_bytes=LIMITS.max_header_bytes)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        in_process.loop.run(server.start(listening))
        yield listening.getsockname()[1]
        in_process.loop.run(server.stop(1.0))


def test_there_are_at_least_sixty() -> None:
    assert len(TABLE) >= 60


@pytest.mark.parametrize("case", TABLE)
def test_refused_and_alive(port: int, case: str) -> None:
    hostile = TABLE[case]
    parts = (hostile.parts,) if isinstance(hostile.parts, bytes) else hostile.parts
    answer = exchange(port, parts, hang_up=hostile.hang_up)
    assert answer.status == hostile.status, answer.body
    assert "set-cookie" not in answer.headers
    assert b"Traceback" not in answer.body
    if hostile.says:
        assert answer.headers["content-type"] == "application/json"
        assert hostile.says in answer.error
    good = exchange(port, [post(P, GOOD)])
    assert (good.status, json.loads(good.body)) == (200, {"predictions": [3.0]})
