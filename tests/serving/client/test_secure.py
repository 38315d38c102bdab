"""TLS, client certificates and bearer tokens, against the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.errors import BadInputError, FailedRunError
from serving.client import ForecastClient, Tls
from serving.server.config_files import write_ssl_config
from serving.server.tls import Tls as ServerTls
from tests.serving.client.conftest import Exports
from tests.serving.client.forecasters import history
from tests.serving.contract.engines import Setup
from tests.serving.contract.setups import entry
from tests.serving.server.certificates import Certificates, make_certificates

TOKEN = "a-token-of-enough-letters"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(
    server_loop: Any,
    exports: Exports,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """Wants TLS, a client certificate and a token."""
    from tests.serving.contract.embedded import EmbeddedServer

    folder = tmp_path_factory.mktemp("secure")
    pair = certificates.server
    files = (pair.certificate, pair.key, certificates.ca)
    tls = ServerTls(*(file.read_bytes() for file in files))
    (folder / "ssl").write_text(write_ssl_config(tls))
    (folder / "token").write_text(TOKEN)
    flags = (f"--ssl_config_file={folder / 'ssl'}", f"--token_file={folder / 'token'}")
    setup = Setup(entry("default"), {("default", 1): exports.plain}, flags=flags)
    running = EmbeddedServer(folder / "server", setup, server_loop)
    yield running
    running.stop()


@pytest.fixture
def client(server: Any, protocol: str) -> Iterator[Any]:
    made: list[ForecastClient] = []

    def connect(secure: bool = True, **options: Any) -> ForecastClient:
        scheme = {"rest": "http", "grpc": "grpc"}[protocol] + ("s" if secure else "")
        port = {"rest": server.rest_port, "grpc": server.grpc_port}[protocol]
        url = f"{scheme}://127.0.0.1:{port}"
        made.append(ForecastClient(url, "default", retries=0, timeout=60, **options))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def own(certificates: Certificates, pair: Any = None) -> Tls:
    pair = pair or certificates.client
    return Tls(certificates.ca, pair.certificate, pair.key)


def test_with_certificates_and_token_it_forecasts(client: Any, certificates: Certificates) -> None:
    got = client(tls=own(certificates), token=TOKEN).forecast(history())
    assert len(got) == 6


@pytest.mark.parametrize("token", [None, "another-token-of-letters"])
def test_without_the_token_it_is_refused(
    client: Any, certificates: Certificates, token: str | None
) -> None:
    with pytest.raises(BadInputError, match="give the server's token") as caught:
        client(tls=own(certificates), token=token).forecast(history())
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "tls",
    [
        lambda c: Tls(),  # the system does not know the authority
        lambda c: Tls(c.ca),
        lambda c: own(c, c.stranger),
    ],
)
def test_without_trust_nobody_is_reached(client: Any, certificates: Certificates, tls: Any) -> None:
    with pytest.raises(FailedRunError, match=r"127\.0\.0\.1"):
        client(tls=tls(certificates), token=TOKEN).forecast(history())


def test_plain_text_is_not_answered(client: Any) -> None:
    with pytest.raises(FailedRunError, match=r"127\.0\.0\.1"):
        client(secure=False, token=TOKEN).forecast(history())


def test_a_token_goes_only_where_it_is_meant_to(tmp_path: Path) -> None:
    """A server that answers with a redirection gets no second request."""
    import http.server
    import threading

    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        with (
            ForecastClient(url, "m", token=TOKEN, retries=0) as client,
            pytest.raises(FailedRunError, match="HTTP status 307"),
        ):
            client.versions()
        server.shutdown()
        thread.join()
    assert asked == ["/v1/models/m"]
