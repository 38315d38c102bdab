"""Certificates that fit are taken; all others are told before anything starts."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from serving.server.errors import StartError
from serving.server.tls import Tls
from tests.serving.server.certificates import Certificates


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """Version of TLS that two contexts agree on, through memory."""
    pipes = [ssl.MemoryBIO() for _ in range(4)]
    a = server.wrap_bio(pipes[0], pipes[1], server_side=True)
    b = client.wrap_bio(pipes[2], pipes[3], server_hostname="localhost")
    for _ in range(10):
        for end in (b, a):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
            pipes[0].write(pipes[3].read())
            pipes[2].write(pipes[1].read())
    return a.version()


def client_context(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates.ca)


def test_a_client_that_trusts_the_ca_gets_in(certificates: Certificates) -> None:
    tls = Tls.from_files(certificates.server.certificate, certificates.server.key)
    assert handshake(tls.context(), client_context(certificates)) == "TLSv1.3"


def test_old_tls_is_refused(certificates: Certificates) -> None:
    tls = Tls.from_files(certificates.server.certificate, certificates.server.key)
    assert tls.context().minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("who", ["client", "stranger", "nobody"])
def test_a_client_ca_lets_in_only_its_own(certificates: Certificates, who: str) -> None:
    pair = certificates.server
    tls = Tls.from_files(pair.certificate, pair.key, certificates.ca)
    client = client_context(certificates)
    if who != "nobody":
        own = getattr(certificates, who)
        client.load_cert_chain(own.certificate, own.key)
    if who == "client":
        assert handshake(tls.context(), client) == "TLSv1.3"
    else:
        with pytest.raises(ssl.SSLError):
            handshake(tls.context(), client)


def test_the_key_is_not_shown(certificates: Certificates) -> None:
    tls = Tls.from_files(certificates.server.certificate, certificates.server.key)
    assert "PRIVATE" not in repr(tls)


def test_what_does_not_fit_is_told(certificates: Certificates, tmp_path: Path) -> None:
    good, other = certificates.server, certificates.client
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("-----BEGIN CERTIFICATE-----\nnot base64\n")
    for certificate, key, ca, words in (
        (good.certificate, other.key, None, "cannot be used: key values mismatch"),
        (garbage, good.key, None, "cannot be used"),
        (good.certificate, good.certificate, None, "cannot be used"),
        (good.certificate, good.key, garbage, "client CA cannot be used"),
        (tmp_path / "none.pem", good.key, None, r"cannot read the certificate .*none\.pem"),
        (good.certificate, tmp_path / "none.pem", None, "cannot read the private key"),
        (good.certificate, good.key, tmp_path / "none.pem", "cannot read the client CA"),
    ):
        with pytest.raises(StartError, match=words):
            Tls.from_files(certificate, key, ca)


def test_a_key_with_a_passphrase_is_refused_without_asking(
    certificates: Certificates, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(certificates.server.key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(StartError, match="without passphrase"):
        Tls.from_files(certificates.server.certificate, locked)


def test_nothing_of_the_key_stays_on_disk(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Tls.from_files(certificates.server.certificate, certificates.server.key)
    assert list(tmp_path.iterdir()) == []
