"""`Tls`: the server's certificate, and whose clients' certificates it asks for."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.server.errors import StartError


@dataclass(frozen=True)
class Tls:
    """Certificates, in PEM.

    Attributes:
        certificate: The server's, followed by its chain.
        key: The private key of it.
        client_ca: Who signs clients' certificates; None: clients need no certificate.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None = None

    @classmethod
    def from_files(cls, certificate: Path, key: Path, client_ca: Path | None = None) -> Tls:
        """Reads the files, and sees that they fit together.

        Raises:
            StartError: If a file cannot be read, or they do not fit.
        """
        return cls.checked(
            _read(certificate, "certificate"),
            _read(key, "private key"),
            None if client_ca is None else _read(client_ca, "client CA"),
        )

    @classmethod
    def checked(cls, certificate: bytes, key: bytes, client_ca: bytes | None = None) -> Tls:
        """The certificates, once TLS was seen to accept them.

        Raises:
            StartError: If it does not.
        """
        tls = cls(certificate, key, client_ca)
        tls.context()
        return tls

    def context(self) -> ssl.SSLContext:
        """For REST: TLS 1.2 or later, and a client's certificate where one is asked for.

        Raises:
            StartError: If the certificate and the key do not fit, or something is not PEM.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python takes a key only from a file: one that nobody else can open, for a moment.
        with tempfile.TemporaryDirectory(prefix="elman-tls-") as folder:
            certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
            certificate.write_bytes(self.certificate)
            key.touch(mode=0o600)
            key.write_bytes(self.key)
            try:
                # A passphrase cannot be asked for where nobody sits.
                context.load_cert_chain(certificate, key, password=_no_passphrase)
            except (ssl.SSLError, OSError, ValueError) as error:
                raise StartError(
                    f"the TLS certificate and its private key cannot be used: {_reason(error)}; "
                    "give a certificate and its own key, both PEM, the key without passphrase"
                ) from None
        if self.client_ca is not None:
            try:
                context.load_verify_locations(cadata=self.client_ca.decode("ascii"))
            except (ssl.SSLError, ValueError) as error:
                raise StartError(
                    f"the client CA cannot be used: {_reason(error)}; give PEM certificates"
                ) from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def credentials(self) -> Any:
        """For gRPC: the same, as `grpc.ServerCredentials`."""
        import grpc

        return grpc.ssl_server_credentials(
            [(self.key, self.certificate)],
            root_certificates=self.client_ca,
            require_client_auth=self.client_ca is not None,
        )


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(f"cannot read the {what} {path}: {error.strerror or error}") from None


def _no_passphrase() -> str:
    raise ValueError("the private key has a passphrase")


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or str(error)
    return str(reason).replace("_", " ").lower()
