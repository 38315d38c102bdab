"""Addresses, certificates and tokens that a client takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import BadInputError
from serving.client import ForecastClient
from serving.transport.connect import connect
from serving.transport.endpoint import Endpoint, Tls


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8501", Endpoint("rest", False, "127.0.0.1", 8501)),
        ("https://models.example", Endpoint("rest", True, "models.example", 443)),
        ("http://gateway:80/forecast/", Endpoint("rest", False, "gateway", 80, "/forecast")),
        ("grpc://[::1]:8500", Endpoint("grpc", False, "::1", 8500)),
        ("grpcs://models.example:443", Endpoint("grpc", True, "models.example", 443)),
    ],
)
def test_endpoints(url: str, expected: Endpoint) -> None:
    assert Endpoint.parse(url) == expected


def test_an_endpoint_knows_how_it_is_written() -> None:
    assert Endpoint.parse("https://[::1]:1/a").url == "https://[::1]:1/a"
    assert Endpoint.parse("http://x").url == "http://x:80"
    assert Endpoint.parse("grpc://[::1]:8500").loopback
    assert Endpoint.parse("grpc://localhost:8500").loopback
    assert not Endpoint.parse("grpc://10.0.0.1:8500").loopback


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:8501", "ftp://x:1", "http://", "grpc://x", "http://x:port", "http://x:99999",
        "grpc://x:1/path", "http://x:1?a=b", "http://x:1#a", "http://user:secret@x:1",
    ],
)  # fmt: skip
def test_wrong_endpoints(url: str) -> None:
    with pytest.raises(BadInputError, match="endpoint") as caught:
        Endpoint.parse(url)
    assert "secret" not in str(caught.value)


def test_certificates_without_encryption_are_refused() -> None:
    with pytest.raises(BadInputError, match="https:// or grpcs://"):
        connect("http://127.0.0.1:1", tls=Tls())


def test_certificates_have_to_be_there_and_whole(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        connect("https://127.0.0.1:1", tls=Tls(ca=tmp_path / "ca.pem"))
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(BadInputError, match="no PEM file"):
        connect("https://127.0.0.1:1", tls=Tls(ca=tmp_path / "ca.pem"))
    with pytest.raises(BadInputError, match="go together"):
        connect("https://127.0.0.1:1", tls=Tls(certificate=tmp_path / "ca.pem"))


@pytest.mark.parametrize("token", ["", " ", "a\nb", "ü"])
def test_tokens_have_to_fit_into_a_header(token: str) -> None:
    with pytest.raises(BadInputError, match="token"):
        connect("http://127.0.0.1:1", token)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"version": 1, "label": "stable"}, "not both"),
        ({"model": ""}, "name"),
        ({"version": -1}, "version"),
        ({"timeout": 0}, "timeout"),
        ({"retries": -1}, "retries"),
        ({"batch_size": 0}, "batch_size"),
        ({"refresh": -1}, "refresh"),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], words: str) -> None:
    given = {"endpoint": "http://127.0.0.1:1", "model": "m", **arguments}
    with pytest.raises(BadInputError, match=words):
        ForecastClient(**given)  # type: ignore[arg-type]
