"""The webhook: what is sent, when it is tried again, and that secrets stay out of sight."""

from __future__ import annotations

import logging
import socket

import pytest

from components.notify.config import WebhookConfig, shown
from components.notify.webhook import post
from tests.components.notify.conftest import Hooked

SECRET = "s3cr3t/of-ours"
HOME = {"TOKEN": SECRET, "PASS": "pw-0815"}
BODY = {"kind": "failed", "fields": {"mae": 0.5}}


def hook(url: str, **more: object) -> WebhookConfig:
    return WebhookConfig.model_validate({"url": url, **more})


def test_the_body_and_the_headers_arrive_with_their_secrets(server: Hooked) -> None:
    config = hook(
        server.url + "/in/${TOKEN}",
        headers={"Authorization": "Bearer ${PASS}", "X-Team": "sales"},
    )
    assert post(config, BODY, environment=HOME) == ""
    [(path, headers, body)] = server.got
    assert path == "/in/" + SECRET
    assert headers["Authorization"] == "Bearer pw-0815"
    assert headers["X-Team"] == "sales"
    assert headers["Content-Type"] == "application/json"
    assert body == BODY


@pytest.mark.parametrize(
    ("answers", "retries", "waits", "problem"),
    [
        ([503, 429], 3, [1, 2], ""),
        ([500] * 9, 3, [1, 2, 4], "tried 4 times: it answered with the status 500"),
        ([503], 0, [], "tried once: it answered with the status 503"),
        ([404], 3, [], "tried once: it answered with the status 404"),
        ([302], 3, [], "the status 302; it points to another address: write that one"),
    ],
)
def test_only_what_may_pass_is_tried_again(
    server: Hooked, answers: list[int | None], retries: int, waits: list[float], problem: str
) -> None:
    server.answers = list(answers)
    slept: list[float] = []
    said = post(hook(server.url, retries=retries), BODY, sleep=slept.append)
    assert slept == waits
    assert len(server.got) == 1 + len(waits)
    assert said.endswith(problem) if problem else said == ""
    assert all(path != "/elsewhere" for path, _, _ in server.got)


def test_a_server_that_does_not_answer_costs_no_more_than_its_time_limit(server: Hooked) -> None:
    server.answers = [None]
    said = post(hook(server.url, timeout=0.2, retries=1), BODY, sleep=lambda _: None)
    assert said == ""  # the second attempt went through
    server.answers = [None]
    assert "tried once: " in post(hook(server.url, timeout=0.2, retries=0), BODY)


def test_no_secret_is_in_a_warning_or_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        port = taken.getsockname()[1]
        config = hook(
            f"http://127.0.0.1:{port}/${{TOKEN}}", headers={"X-Key": "${PASS}"}, retries=0
        )
        with caplog.at_level(logging.DEBUG):
            said = post(config, BODY, environment=HOME)
    assert f"the webhook http://127.0.0.1:{port}/..., tried once: ConnectError" in said
    for text in (said, caplog.text):
        assert SECRET not in text
        assert "pw-0815" not in text


def test_a_request_that_went_well_leaves_no_address_in_the_log(
    server: Hooked, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert post(hook(server.url + "/${TOKEN}"), BODY, environment=HOME) == ""
    assert SECRET not in caplog.text


@pytest.mark.parametrize("value", ["not an address", "ftp://host/x", "http://[::1", "http://a b/"])
def test_a_variable_that_holds_no_address_is_a_warning_without_it(value: str) -> None:
    said = post(hook("${URL}", retries=0), BODY, environment={"URL": value})
    assert said.startswith("the webhook ${URL}, tried once: ")
    assert value not in said


def test_a_variable_that_is_not_set_is_a_warning_with_its_name() -> None:
    said = post(hook("https://hooks.example/${NOWHERE}"), BODY, environment={})
    assert "https://hooks.example/..." in said
    assert "environment variable NOWHERE is not set" in said


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://hooks.example/services/${TOKEN}?x=1", "https://hooks.example/..."),
        ("https://hooks.example", "https://hooks.example"),
        ("https://me:${PASS}@hooks.example:8443/a", "https://hooks.example:8443/..."),
        ("${URL}", "${URL}"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str, text: str) -> None:
    assert shown(url) == text
