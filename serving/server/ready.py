"""`Ready`: what a server says once it answers requests, to people and to programs."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.server.errors import StartError


@dataclass(frozen=True)
class Ready:
    """Where a server answers, and what it serves.

    Attributes:
        engine: `embedded` or `tf-serving`.
        host: Address it listens on.
        grpc_port: TCP port.
        rest_port: TCP port; None: no REST.
        tls: Whether it speaks TLS.
        metrics_path: URL path of the metrics; None: none.
        versions: Versions that answer, ascending, by model.
        pid: Of the process.
    """

    engine: str
    host: str
    grpc_port: int
    rest_port: int | None
    tls: bool
    metrics_path: str | None
    versions: Mapping[str, tuple[int, ...]]
    pid: int

    @property
    def rest_url(self) -> str | None:
        """Where REST requests go."""
        if self.rest_port is None:
            return None
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{_bracketed(self.host)}:{self.rest_port}"

    def line(self) -> str:
        """For people."""
        served = "; ".join(
            f"{name} " + (", ".join(map(str, versions)) or "(no version yet)")
            for name, versions in self.versions.items()
        )
        rest = "off" if self.rest_url is None else f"{self.rest_url}/v1/models"
        grpc = f"{_bracketed(self.host)}:{self.grpc_port}"
        return f"ready: {served or 'no models'} | REST {rest} | gRPC {grpc} | {self.engine} engine"

    def write(self, path: Path) -> None:
        """Writes a JSON object to `path`; who reads it sees all of it or none.

        Raises:
            StartError: If it cannot be written.
        """
        content = {
            "engine": self.engine,
            "host": self.host,
            "grpc_port": self.grpc_port,
            "rest_port": self.rest_port,
            "rest_url": self.rest_url,
            "tls": self.tls,
            "metrics_path": self.metrics_path,
            "versions": {name: list(versions) for name, versions in self.versions.items()},
            "pid": self.pid,
        }
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            partial.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StartError(
                f"cannot write the ready file {path}: {error.strerror or error}"
            ) from None


def prepare(path: Path) -> None:
    """Removes a ready file of an earlier server, so that none is taken for this one's.

    Raises:
        StartError: If it cannot be removed, or the folder cannot be written to.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StartError(f"cannot replace {path}: {error.strerror or error}") from None
    if not os.access(path.parent, os.W_OK):
        raise StartError(f"cannot write the ready file {path}: no such folder, or not writable")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
