"""Tokens, and the page of metrics."""

from __future__ import annotations

from typing import Any

import pytest

from serving.observer import Silent
from serving.rest.app import METRICS, build_app
from tests.serving.rest.fake_inference import GOOD, LIMITS, PREDICT, Fake, ask, error

TOKEN = "correct-horse-battery-staple"
TOKENS = {
    "none": ([], 401),
    "another": ([b"Bearer wrong"], 401),
    "none after the scheme": ([b"Bearer"], 401),
    "empty": ([b""], 401),
    "longer": ([b"Bearer " + TOKEN.encode() + b"x"], 401),
    "shorter": ([b"Bearer " + TOKEN.encode()[:-1]], 401),
    "another scheme": ([b"Basic " + TOKEN.encode()], 401),
    "no scheme": ([TOKEN.encode()], 401),
    "bytes": ([b"Bearer \xff\xfe"], 401),
    "two": ([b"Bearer wrong", b"Bearer " + TOKEN.encode()], 401),
    "right": ([b"Bearer " + TOKEN.encode()], 200),
    "in small letters": ([b"bearer " + TOKEN.encode()], 200),
}


@pytest.mark.parametrize("path", [PREDICT, METRICS, "/elsewhere"])
@pytest.mark.parametrize("case", TOKENS)
def test_tokens(fake: Fake, case: str, path: str) -> None:
    values, status = TOKENS[case]
    app = build_app(
        fake,  # type: ignore[arg-type]
        observer=Silent(),
        limits=LIMITS,
        token=TOKEN,
        metrics_text=lambda: "m 1\n",
    )
    headers = [(b"authorization", value) for value in values]
    answer = ask(app, "GET" if path == METRICS else "POST", path, GOOD, headers=headers)
    if status == 200 and path == "/elsewhere":
        status = 404
    assert answer.status == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert TOKEN not in answer.body.decode()
        assert "token" in error(answer)


def test_metrics_may_be_open(fake: Fake) -> None:
    app = build_app(
        fake,  # type: ignore[arg-type]
        observer=Silent(),
        token=TOKEN,
        metrics_text=lambda: "m 1\n",
        metrics_need_token=False,
    )
    answer = ask(app, "GET", METRICS)
    assert (answer.status, answer.body) == (200, b"m 1\n")
    assert answer.headers["content-type"].startswith("text/plain")
    assert ask(app, "POST", PREDICT, GOOD).status == 401


def test_without_metrics_there_is_no_such_page(app: Any) -> None:
    assert ask(app, "GET", METRICS).status == 404


def test_metrics_elsewhere(fake: Fake) -> None:
    app = build_app(
        fake,  # type: ignore[arg-type]
        observer=Silent(),
        metrics_text=lambda: "m 1\n",
        metrics_path="/metrics",
    )
    assert ask(app, "GET", "/metrics?a=b").body == b"m 1\n"
    assert ask(app, "GET", METRICS).status == 404
