"""What a signal does, at each stage; the process itself is left alone here."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from serving.engine.settings import ServedModel
from serving.server import process
from serving.server.access_log import AccessLog
from serving.server.errors import StartError
from serving.server.ready import Ready
from serving.server.run import Reserved
from serving.server.settings import AccessLogSettings, ServerSettings

PATIENCE = 60.0


class Ended(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Exit codes with which the process would have ended at once."""
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    return codes


class Fake:
    """An `Embedded` that starts and stops as it is told.

    Attributes:
        signals: Sent to this process when it has started, and then while it stops.
    """

    starts = True
    cut = 0
    told: Any = None
    stopped: float | None = None

    def __init__(self, settings: ServerSettings, held: Reserved) -> None:
        type(self).last = self  # type: ignore[attr-defined]

    async def start(self) -> Ready:
        if not self.starts:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(PATIENCE)
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
        return Ready("embedded", "h", 1, 2, False, None, {"m": (1,)}, 3)

    def problems(self) -> list[str]:
        return ["m: something"]

    async def stop(self, seconds: float) -> int:
        self.stopped = seconds
        return self.cut


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    made = type("Made", (Fake,), {})
    monkeypatch.setattr(process, "Embedded", made)
    return made


def serve(tmp_path: Path, said: list[str]) -> int:
    settings = ServerSettings(
        (ServedModel("m", tmp_path),), drain_seconds=7, ready_file=tmp_path / "ready.json"
    )
    held = Reserved(None, 0, AccessLog(AccessLogSettings()))  # type: ignore[arg-type]
    return process.serve(
        settings, held, say=said.append, warn=lambda line: said.append(f"Warning: {line}")
    )


def test_a_signal_stops_it(fake: type[Fake], tmp_path: Path, ends: list[int]) -> None:
    said: list[str] = []
    assert serve(tmp_path, said) == 0
    assert fake.last.stopped == 7  # type: ignore[attr-defined]
    assert said[0] == "Warning: m: something"
    assert said[1].startswith("ready: m 1")
    assert said[2:] == ["stopping: answering the requests in work", "stopped"]
    assert ends == []
    assert list(tmp_path.iterdir()) == []


def test_before_it_is_ready_it_ends_at_once(
    fake: type[Fake], tmp_path: Path, ends: list[int]
) -> None:
    fake.starts = False
    said: list[str] = []
    with pytest.raises(Ended):
        serve(tmp_path, said)
    assert ends == [0]
    assert said == ["stopped before it was ready"]


def test_requests_that_are_cut_off_are_told(
    fake: type[Fake], tmp_path: Path, ends: list[int]
) -> None:
    fake.cut = 3
    said: list[str] = []
    with pytest.raises(Ended):
        serve(tmp_path, said)
    assert ends == [1]
    assert said[-1] == "Warning: 3 requests were not done after 7 s and were cut off"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(number: signal.Signals, ends: list[int]) -> None:
    told = asyncio.Event()
    process._heed(number, told)
    assert told.is_set()
    with pytest.raises(Ended):
        process._heed(number, told)
    assert ends == [128 + number]


def test_what_fails_at_the_start_is_raised(
    fake: type[Fake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(self: Fake) -> Ready:
        raise StartError("the port was taken")

    monkeypatch.setattr(fake, "start", start)
    with pytest.raises(StartError, match="the port was taken"):
        serve(tmp_path, [])
