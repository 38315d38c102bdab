"""Bodies and headers: how large, how slow and how packed they may be."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from serving.observer import Silent
from serving.rest.app import build_app
from serving.status import Code
from tests.serving.rest.fake_inference import GOOD, LIMITS, PREDICT, Fake, Heard, ask, error


@pytest.mark.parametrize("size", [1001, 10_000_000, 10**30])
def test_a_body_announced_as_too_large_is_not_read(app: Any, size: int, heard: Heard) -> None:
    headers = [(b"content-length", str(size).encode())]
    answer = ask(app, "POST", PREDICT, never_ending(), headers=headers)
    assert answer.status == 413
    assert "1000 bytes at most" in error(answer)
    assert answer.headers["connection"] == "close"
    assert heard.requests == [("echo", "Predict", "rest", Code.RESOURCE_EXHAUSTED)]


async def never_ending() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0)
        yield b"[" * 100


def test_a_body_that_turns_out_too_large_is_not_read_to_its_end(app: Any) -> None:
    answer = ask(app, "POST", PREDICT, never_ending())
    assert answer.status == 413
    assert answer.headers["connection"] == "close"


def test_a_body_of_the_largest_size_is_read(app: Any) -> None:
    body = GOOD[:-1] + b" " * (1000 - len(GOOD)) + b"}"
    assert len(body) == 1000
    assert ask(app, "POST", PREDICT, body).status == 200
    assert ask(app, "POST", PREDICT, body + b" ").status == 413


def test_bodies_in_parts_are_put_together(app: Any) -> None:
    parts = [GOOD[i : i + 1] for i in range(len(GOOD))] + [b""]
    assert ask(app, "POST", PREDICT, parts).status == 200


def test_a_slow_body_is_given_up(app: Any, heard: Heard) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield GOOD[:10]
        await asyncio.sleep(30)
        yield GOOD[10:]

    answer = ask(app, "POST", PREDICT, slow())
    assert answer.status == 408
    assert "did not arrive within 0.3 seconds" in error(answer)
    assert heard.requests[0][-1] is Code.DEADLINE_EXCEEDED


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_gzip(app: Any, encoding: str) -> None:
    answer = ask(app, "POST", PREDICT, gzip.compress(GOOD), headers={"Content-Encoding": encoding})
    assert answer.status == 200, answer.body


BAD_GZIP = {
    "plain": (GOOD, 400, "not gzip"),
    "cut off": (gzip.compress(GOOD)[:-4], 400, "cut off"),
    "wrong sum": (gzip.compress(GOOD)[:-8] + b"12345678", 400, "not gzip"),
    "goes on": (gzip.compress(GOOD) + b"more", 400, "goes on"),
    "two members": (gzip.compress(GOOD) * 2, 400, "goes on"),
    "a bomb": (gzip.compress(b" " * 900_000), 413, "2000 bytes at most"),
    "a bomb in a bomb": (gzip.compress(gzip.compress(b" " * 900_000_0)), 400, "JSON Parse error"),
    "nothing": (b"", 400, "cut off"),
}


@pytest.mark.parametrize("case", BAD_GZIP)
def test_bad_gzip(app: Any, case: str) -> None:
    body, status, says = BAD_GZIP[case]
    limits = replace(LIMITS, max_body_bytes=100_000, max_decompressed_bytes=2000)
    app = build_app(Fake(), observer=Silent(), limits=limits)  # type: ignore[arg-type]
    if case == "a bomb in a bomb":
        limits = replace(limits, max_decompressed_bytes=100_000)
        app = build_app(Fake(), observer=Silent(), limits=limits)  # type: ignore[arg-type]
    answer = ask(app, "POST", PREDICT, body, headers={"Content-Encoding": "gzip"})
    assert answer.status == status
    assert says in error(answer)


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "ä"])
def test_other_encodings_are_refused_by_name(app: Any, encoding: str) -> None:
    headers = [(b"content-encoding", encoding.encode("latin-1"))]
    answer = ask(app, "POST", PREDICT, GOOD, headers=headers)
    assert answer.status == 400
    assert "Content-Encoding" in error(answer)


def test_headers_of_any_size_are_bounded(app: Any) -> None:
    headers = [(b"x-%d" % i, b"a" * 100) for i in range(700)]
    answer = ask(app, "POST", PREDICT, GOOD, headers=headers)
    assert answer.status == 431
    assert "65536 at most" in error(answer)
