"""`ServerSettings`: everything the embedded server is told before it starts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from serving.batching.settings import BatchingSettings
from serving.engine.settings import ServedModel
from serving.request_log.settings import RequestLogSettings
from serving.runtimes.runtime import ENGINES, EngineName
from serving.server.errors import StartError
from serving.server.tls import Tls

LOOPBACK = "127.0.0.1"
GRPC_PORT = 8500
REST_PORT = 8501
METRICS_PATH = "/monitoring/prometheus/metrics"


@dataclass(frozen=True)
class Limits:
    """What one client may take.

    Attributes:
        request_bytes: Largest request, in bytes; a larger one is refused unread.
        concurrent_requests: Requests of one protocol in work at the same time; more are refused.
        rest_seconds: Until a REST request is given up; gRPC requests bring their own deadline.
    """

    request_bytes: int = 64 * 2**20
    concurrent_requests: int = 1000
    rest_seconds: float = 30.0

    def __post_init__(self) -> None:
        for name in ("request_bytes", "concurrent_requests", "rest_seconds"):
            value = getattr(self, name)
            if value <= 0:
                raise StartError(f"{name} must be above 0, got {value}")


@dataclass(frozen=True)
class Loading:
    """How versions are found and loaded; names and defaults as TF Serving has them.

    Attributes:
        poll_seconds: Between looks at the model directories; 0: look once.
        retries: Further attempts after a version failed to load.
        retry_seconds: Between those attempts.
        labels_before_versions: Whether a label may name a version that is not available yet.
    """

    poll_seconds: float = 1.0
    retries: int = 5
    retry_seconds: float = 60.0
    labels_before_versions: bool = False

    def __post_init__(self) -> None:
        for name in ("poll_seconds", "retries", "retry_seconds"):
            value = getattr(self, name)
            if value < 0:
                raise StartError(f"{name} must be 0 or more, got {value}")


@dataclass(frozen=True)
class AccessLogSettings:
    """Where the access log goes.

    Attributes:
        destination: A file, `-` for stderr, None for nowhere.
        sample: Share of the requests that went well to be written, 0 to 1; others always are.
    """

    destination: str | None = None
    sample: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.sample <= 1:
            raise StartError(f"the access log's sample must be between 0 and 1, got {self.sample}")


@dataclass(frozen=True)
class ServerSettings:
    """Settings of the embedded server.

    Attributes:
        models: What to serve.
        host: Address to listen on, for both protocols.
        grpc_port: TCP port; 0: any that is free.
        rest_port: TCP port; 0: any that is free.
        tls: Certificates, for both protocols; None: plain text.
        token: What requests must bring as bearer token; None: nothing.
        batching: How requests are gathered; None: each runs by itself.
        limits: What one client may take.
        loading: How versions are found and loaded.
        engine: What runs the signatures that it can, where a version brings its file.
        config_file: A `models.config` that `models` came from, to read again.
        config_poll_seconds: Between looks at `config_file`; 0: never again.
        reload_roots: Folders at or below which a HandleReloadConfigRequest may find models; empty:
            the folders of `models`.
        metrics_path: URL path of the metrics; None: no metrics.
        access_log: Where the access log goes.
        request_log: Which requests are kept with their answers, and where; None: none are.
        drain_seconds: How long a stopping server waits for requests in work.
        ready_file: Written once requests are served, with ports and versions; None: no file.
    """

    models: tuple[ServedModel, ...]
    host: str = LOOPBACK
    grpc_port: int = GRPC_PORT
    rest_port: int = REST_PORT
    tls: Tls | None = None
    token: str | None = field(default=None, repr=False)
    batching: BatchingSettings | None = None
    limits: Limits = Limits()
    loading: Loading = Loading()
    engine: EngineName = "tensorflow"
    config_file: Path | None = None
    config_poll_seconds: float = 0.0
    reload_roots: tuple[Path, ...] = ()
    metrics_path: str | None = METRICS_PATH
    access_log: AccessLogSettings = AccessLogSettings()
    request_log: RequestLogSettings | None = None
    drain_seconds: float = 30.0
    ready_file: Path | None = None

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise StartError(problem)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    def _problems(self) -> Iterator[str]:
        for name, port in (("gRPC", self.grpc_port), ("REST", self.rest_port)):
            if not 0 <= port <= 65535:
                yield f"the {name} port must be between 0 and 65535, got {port}"
        if self.grpc_port == self.rest_port != 0:
            yield f"gRPC and REST cannot share port {self.rest_port}; give two ports"
        if self.engine not in ENGINES:
            yield f"the engine must be one of {', '.join(ENGINES)}, got {self.engine!r}"
        if not self.host:
            yield "the address to listen on is empty; give one, such as 127.0.0.1"
        if self.token is not None and (problem := token_problem(self.token)):
            yield problem
        if self.metrics_path is not None and not self.metrics_path.startswith("/"):
            yield f"the path of the metrics must start with /, got {self.metrics_path!r}"
        if self.drain_seconds < 0 or self.config_poll_seconds < 0:
            yield "the seconds to drain and between looks at models.config must be 0 or more"


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine's loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def token_problem(token: str) -> str | None:
    """What is wrong with a bearer token, without showing it; None if nothing is."""
    if len(token) < 16:
        return (
            f"the token has {len(token)} characters, and must have at least 16; make one with: "
            'python -c "import secrets; print(secrets.token_urlsafe())"'
        )
    if not all("!" <= character <= "~" for character in token):
        return "the token must be printable ASCII without spaces, so that a header can carry it"
    return None
