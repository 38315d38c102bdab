"""Which hook hears what, and that none of them can end a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from components.notify import command
from components.notify.config import NotifyConfig
from components.notify.event import KINDS, Context, Event
from components.notify.notify import notify
from tests.components.notify.conftest import Hooked

EVENTS = [Event(kind, f"title of {kind}", "text", {"n": 1}) for kind in KINDS]


def context(folder: Path) -> Context:
    return Context("co2", "r1", str(folder / "co2.yaml"), "2026-01-02T03:04:05Z", "sqlite", "m1")


def hooks(**given: Any) -> NotifyConfig:
    return NotifyConfig.model_validate(given)


def test_each_hook_hears_the_events_it_asks_for(server: Hooked, tmp_path: Path) -> None:
    append = ["/bin/sh", "-c", "cat >> said"]
    config = hooks(
        webhook={"url": server.url, "on": ["failed", "promoted"]},
        command={"run": append, "on": ["drift"]},
    )
    assert notify(config, EVENTS, context=context(tmp_path)) == []
    assert [body["kind"] for _, _, body in server.got] == ["failed", "promoted"]
    assert server.got[0][2] == {
        "format": 1,
        "kind": "failed",
        "title": "title of failed",
        "text": "text",
        "fields": {"n": 1},
        "pipeline": "co2",
        "run_id": "r1",
        "config": str(tmp_path / "co2.yaml"),
        "at": "2026-01-02T03:04:05Z",
        "mlflow_uri": "sqlite",
        "mlflow_run_id": "m1",
    }
    lines = (tmp_path / "said").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["drift"]


def test_without_hooks_nothing_happens(tmp_path: Path) -> None:
    assert notify(None, EVENTS, context=context(tmp_path)) == []


def test_one_hook_that_fails_does_not_keep_the_other_from_hearing(
    server: Hooked, tmp_path: Path
) -> None:
    server.answers = [404]
    config = hooks(webhook={"url": server.url}, command={"run": ["/bin/sh", "-c", "cat > said"]})
    [said] = notify(config, EVENTS[:1], context=context(tmp_path))
    assert "status 404" in said
    assert (tmp_path / "said").exists()


def test_a_bug_in_a_hook_is_a_warning_without_details(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("secret")

    monkeypatch.setattr(command, "start", broken)
    config = hooks(command={"run": ["true"]})
    said = notify(config, EVENTS[:1], context=context(tmp_path))
    assert said == ["a hook failed with RuntimeError"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "neither webhook nor command"),
        ({"webhook": {"url": "hooks.example/x"}}, "expected http://"),
        ({"webhook": {"url": "https://me:pw@host/"}}, "secret in plain text"),
        ({"webhook": {"url": "https://host/?token=abc"}}, "secret in plain text"),
        ({"webhook": {"url": "https://hooks.example/s/T0AB1/xYz0123456789abcdef"}}, "secret in"),
        ({"webhook": {"url": "https://host/${no name}"}}, "name of an environment variable"),
        ({"webhook": {"url": "https://h/", "headers": {"Authorization": "Bearer x"}}}, "plain"),
        ({"webhook": {"url": "https://h/", "headers": {"X-Api-Key": "x"}}}, "in plain text"),
        ({"webhook": {"url": "https://h/", "headers": {"a b": "x"}}}, "header name"),
        ({"webhook": {"url": "https://h/", "headers": {"X-A": "x\ny"}}}, "line break"),
        ({"webhook": {"url": "https://h/", "on": ["promote"]}}, "promoted"),
        ({"webhook": {"url": "https://h/", "on": []}}, "at least 1"),
        ({"command": {"run": []}}, "at least 1"),
        ({"command": {"run": [" "]}}, "name of a program"),
        ({"command": {"run": ["a\0b"]}}, "zero byte"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words.replace("$", r"\$")) as error:
        hooks(**given)
    assert "pw@" not in error.value.errors()[0]["msg"]
    assert "xYz0123456789abcdef" not in error.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8080/hook", "https://hooks.example/services/${A}/${B}", "${URL}",
     "https://ntfy.example/elman-nightly-forecasts"],
)  # fmt: skip
def test_plain_addresses_pass(url: str) -> None:
    config = hooks(webhook={"url": url})
    assert config.webhook is not None
    assert config.webhook.on == KINDS
