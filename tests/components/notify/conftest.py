"""A web server on this machine that answers as it is told, and keeps what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Hooked:
    """The server, its address, the answers it has yet to give (else 200), and what it was sent."""

    url: str
    answers: list[int | None] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def server() -> Iterator[Hooked]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hooked.got.append((self.path, dict(self.headers), json.loads(body)))
            answer = hooked.answers.pop(0) if hooked.answers else 200
            if answer is None:  # hangs, until the test is over
                hooked.let_go.wait(30)
                return
            self.send_response(answer)
            if 300 <= answer < 400:
                self.send_header("Location", hooked.url + "/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hooked = Hooked(f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hooked
    finally:
        hooked.let_go.set()
        listening.shutdown()
        thread.join()
        listening.server_close()
