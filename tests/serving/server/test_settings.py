"""Settings that make no sense are told before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.engine.settings import ServedModel
from serving.server.errors import StartError
from serving.server.run import warnings
from serving.server.settings import (
    AccessLogSettings,
    Limits,
    Loading,
    ServerSettings,
    is_loopback,
)
from serving.server.tls import Tls
from serving.server.token import TOKEN_VARIABLE, read_token
from tests.serving.server.certificates import Certificates

MODELS = (ServedModel("m", Path("/models/m")),)
TOKEN = "a-token-of-enough-letters"


def test_the_defaults_can_be_reached_from_this_machine_alone() -> None:
    settings = ServerSettings(MODELS)
    assert settings.loopback
    assert (settings.grpc_port, settings.rest_port) == (8500, 8501)
    assert warnings(settings) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grpc_port": 65536}, "gRPC port must be between 0 and 65535, got 65536"),
        ({"rest_port": -1}, "REST port must be between"),
        ({"grpc_port": 9, "rest_port": 9}, "cannot share port 9"),
        ({"host": ""}, "address to listen on is empty"),
        ({"token": "short"}, "the token has 5 characters, and must have at least 16"),
        ({"token": "sixteen letters and spaces"}, "printable ASCII without spaces"),
        ({"token": "ä" * 20}, "printable ASCII without spaces"),
        ({"metrics_path": "metrics"}, "must start with /"),
        ({"drain_seconds": -1}, "must be 0 or more"),
        ({"config_poll_seconds": -1}, "must be 0 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(StartError, match=words):
        ServerSettings(MODELS, **changes)  # type: ignore[arg-type]


def test_any_free_port_may_be_asked_for_twice() -> None:
    assert ServerSettings(MODELS, grpc_port=0, rest_port=0).grpc_port == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Limits(request_bytes=0),
        lambda: Limits(concurrent_requests=0),
        lambda: Limits(rest_seconds=-1),
        lambda: Loading(poll_seconds=-1),
        lambda: Loading(retries=-1),
        lambda: AccessLogSettings(sample=1.5),
    ],
)
def test_limits_that_make_no_sense_are_refused(make: object) -> None:
    with pytest.raises(StartError):
        make()  # type: ignore[operator]


def test_no_secret_is_shown() -> None:
    assert TOKEN not in repr(ServerSettings(MODELS, token=TOKEN))


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
    ],
)
def test_loopback(host: str, yes: bool) -> None:
    assert is_loopback(host) == yes


def test_who_may_come_in_from_outside_is_told(certificates: Certificates) -> None:
    pair = certificates.server
    tls = Tls.from_files(pair.certificate, pair.key)
    mutual = Tls.from_files(pair.certificate, pair.key, certificates.ca)

    def told(**changes: object) -> str:
        return " ".join(warnings(ServerSettings(MODELS, host="0.0.0.0", **changes)))  # type: ignore[arg-type]

    assert "whoever can reach 0.0.0.0 can use the models" in told()
    assert "whoever can reach 0.0.0.0 can use the models" in told(tls=tls)
    assert "in plain text" in told(token=TOKEN)
    assert told(tls=tls, token=TOKEN) == ""
    assert told(tls=mutual) == ""


class TestToken:
    def test_it_comes_from_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text(f"  {TOKEN}\n")
        environment = {TOKEN_VARIABLE: "another-token-of-enough-letters"}
        assert read_token(tmp_path / "token", environment) == TOKEN

    def test_or_from_the_environment(self) -> None:
        assert read_token(None, {TOKEN_VARIABLE: TOKEN}) == TOKEN

    def test_or_from_nowhere(self) -> None:
        assert read_token(None, {}) is None

    def test_an_empty_one_is_refused_for_it_would_let_everybody_in(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("\n")
        with pytest.raises(StartError, match=r"token is empty"):
            read_token(tmp_path / "token", {})
        with pytest.raises(StartError, match=rf"\${TOKEN_VARIABLE} is empty"):
            read_token(None, {TOKEN_VARIABLE: ""})

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(StartError, match=r"cannot read the token in .*/nothing: No such file"):
            read_token(tmp_path / "nothing", {})
