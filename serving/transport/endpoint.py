"""`Endpoint`: where a model server is, from a URL."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from models.errors import BadInputError

_PROTOCOLS = {
    "http": ("rest", False),
    "https": ("rest", True),
    "grpc": ("grpc", False),
    "grpcs": ("grpc", True),
}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Tls:
    """Certificates, PEM files.

    Attributes:
        ca: Of the authority that signed the server's certificate; None: those of the system.
        certificate: The client's own certificate and chain, where the server asks for one.
        key: Its private key.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def read(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """The contents of `ca`, `key` and `certificate`.

        Raises:
            BadInputError: If a file cannot be read, or one of certificate and key is missing.
        """
        if (self.certificate is None) != (self.key is None):
            raise BadInputError(
                "a client certificate and its private key go together: give both or neither"
            )
        return _read(self.ca), _read(self.key), _read(self.certificate)


@dataclass(frozen=True)
class Endpoint:
    """A model server's address.

    Attributes:
        protocol: `rest` or `grpc`.
        secure: Whether TLS is spoken.
        host: Name or address, IPv6 without brackets.
        port: TCP port.
        path: What comes before `/v1/models` in REST, without a slash at the end.
    """

    protocol: Literal["rest", "grpc"]
    secure: bool
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """The endpoint at `http://`, `https://`, `grpc://` or `grpcs://host:port`.

        Raises:
            BadInputError: If `url` is nothing of the kind.
        """
        wrong = (
            f"endpoint {url!r}: expected http(s)://host:port for REST or grpc(s)://host:port for "
            "gRPC, such as http://127.0.0.1:8501 or grpc://127.0.0.1:8500, or file:///folder for a "
            "folder of versions"
        )
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            raise BadInputError(wrong) from None
        known = _PROTOCOLS.get(parts.scheme)
        if known is None or not parts.hostname or port is None or parts.query or parts.fragment:
            raise BadInputError(wrong)
        if parts.username is not None or parts.password is not None:
            raise BadInputError(f"endpoint of {parts.hostname}: give the token apart from the URL")
        path = parts.path.rstrip("/")
        protocol: Literal["rest", "grpc"] = "rest" if known[0] == "rest" else "grpc"
        if path and protocol == "grpc":
            raise BadInputError(wrong)
        return cls(protocol, known[1], parts.hostname, port, path)

    @property
    def authority(self) -> str:
        """`host:port`, IPv6 addresses in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL of REST, without a slash at the end."""
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.path}"

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, which no proxy reaches."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror})") from None
