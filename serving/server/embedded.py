"""`Embedded`: models, gRPC and REST in one event loop; started, watched and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import os

from serving.engine.loading import loader
from serving.engine.manager import ModelManager
from serving.engine.version_status import State, VersionStatus
from serving.inference.inference import Inference
from serving.request_log.log import RequestLog
from serving.rest.app import build_app
from serving.rest.limits import RestLimits
from serving.rpc.health import Health
from serving.rpc.limits import GrpcLimits
from serving.rpc.server import build_grpc_server
from serving.server import ports
from serving.server.config_poll import poll_config
from serving.server.errors import StartError
from serving.server.metrics import Metrics
from serving.server.ready import Ready
from serving.server.rest_front import RestFront
from serving.server.rest_server import RestServer
from serving.server.rpc_front import RpcFront
from serving.server.run import GRPC_OPTION, REST_OPTION, Reserved
from serving.server.settings import METRICS_PATH, ServerSettings
from serving.server.traffic import Traffic
from serving.status import ServingError

_HEALTH_SECONDS = 0.5
_SETTLE_SECONDS = 0.5
"""Between word that the server stops (health, `connection: close`) and its last new request."""


class Embedded:
    """The server. Make it inside the event loop that it is to live in.

    Args:
        settings: What to serve, and how.
        held: Ports and files.

    Raises:
        StartError: If the models make no sense.
    """

    def __init__(self, settings: ServerSettings, held: Reserved) -> None:
        self._settings = settings
        self._held = held
        self._traffic = Traffic()
        metrics = Metrics(self._path_of, self.models, self._traffic.inside)
        loading = settings.loading
        try:
            self._manager = ModelManager(
                settings.models,
                poll_seconds=loading.poll_seconds,
                observer=metrics,
                load=loader(engine=settings.engine),
                retries=loading.retries,
                retry_seconds=loading.retry_seconds,
                labels_before_versions=loading.labels_before_versions,
            )
        except ServingError as error:
            raise StartError(error.message) from None
        log = settings.request_log
        self._requests = None if log is None else RequestLog(log, count=metrics.kept)
        self._inference = Inference(
            self._manager, settings.batching, observer=metrics, keeper=self._requests
        )
        self._health = Health()
        limits = settings.limits
        self._grpc = build_grpc_server(
            self._inference,
            self._manager,
            reload_roots=settings.reload_roots or [m.base_path for m in settings.models],
            observer=metrics,
            limits=GrpcLimits(
                max_message_bytes=limits.request_bytes,
                max_concurrent_requests=limits.concurrent_requests,
            ),
            token=settings.token,
            health=self._health,
            interceptors=[RpcFront(self._traffic, held.log)],
        )
        rest_limits = RestLimits(
            max_body_bytes=limits.request_bytes,
            max_decompressed_bytes=limits.request_bytes,
            body_seconds=limits.rest_seconds,
            request_seconds=limits.rest_seconds,
        )
        path = settings.metrics_path
        app = build_app(
            self._inference,
            observer=metrics,
            limits=rest_limits,
            token=settings.token,
            metrics_text=None if path is None else metrics.text,
            metrics_path=path or METRICS_PATH,
        )
        self._rest = RestServer(
            RestFront(app, self._traffic, held.log, limits.concurrent_requests),
            context=None if settings.tls is None else settings.tls.context(),
            max_header_bytes=rest_limits.max_header_bytes,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Ready:
        """Loads the models, then opens the ports.

        Raises:
            StartError: If a port was taken meanwhile, or a label names a version that is not there.
        """
        await self._health.starting()
        try:
            await self._manager.start()
        except ServingError as error:
            raise StartError(error.message) from None
        grpc_port = self._open_grpc()
        ports.listen(self._held.rest, REST_OPTION)
        await self._grpc.start()
        await self._rest.start(self._held.rest)
        self._tasks.append(asyncio.create_task(self._watch_health()))
        file, seconds = self._settings.config_file, self._settings.config_poll_seconds
        if file is not None and seconds > 0:
            self._tasks.append(asyncio.create_task(poll_config(file, seconds, self._manager)))
        return Ready(
            engine="embedded",
            host=self._settings.host,
            grpc_port=grpc_port,
            rest_port=ports.number(self._held.rest),
            tls=self._settings.tls is not None,
            metrics_path=self._settings.metrics_path,
            versions={name: self.available(name) for name in self.models()},
            pid=os.getpid(),
        )

    async def stop(self, seconds: float) -> int:
        """Takes no more requests, and answers those in work.

        Args:
            seconds: How long they may take.

        Returns:
            How many had to be cut off.
        """
        self._traffic.closing = True
        for task in self._tasks:
            task.cancel()
        await self._health.stopping()
        # Whoever asks right now did not know yet; gRPC, too, refuses what it has not begun with.
        await asyncio.sleep(min(_SETTLE_SECONDS, seconds))
        cut = await asyncio.gather(self._stop_grpc(seconds), self._rest.stop(seconds))
        if not any(cut):
            # What a client no longer waits for may still run; models are not taken from under it.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._inference.drain(), seconds)
            await self._manager.stop()
        if self._requests is not None:
            await asyncio.to_thread(self._requests.close)
        return sum(cut)

    def models(self) -> tuple[str, ...]:
        """Names of the models that are configured now."""
        return tuple(model.name for model in self._manager.models)

    def states(self, name: str) -> list[VersionStatus]:
        """States of the versions of a model, newest first; none if there are no versions."""
        try:
            return self._manager.status(name)
        except ServingError:
            return []

    def available(self, name: str) -> tuple[int, ...]:
        """Versions of a model that answer requests, ascending."""
        found = (s.version for s in self.states(name) if s.state is State.AVAILABLE)
        return tuple(sorted(found))

    def problems(self) -> list[str]:
        """What is not served and why, in words."""
        found = []
        for model in self._manager.models:
            name = model.name
            failed = [s for s in self.states(name) if s.message]
            found += [f"{name}: version {s.version} is not served: {s.message}" for s in failed]
            if not failed and not self.available(name):
                where = model.base_path
                found.append(f"{name}: nothing to serve in {where} yet; waiting for a version")
        return found

    def _path_of(self, name: str, version: int) -> str:
        bases = [model.base_path for model in self._manager.models if model.name == name]
        return str(bases[0] / str(version) if bases else version)

    def _open_grpc(self) -> int:
        tls = self._settings.tls
        host, port = self._settings.host.strip("[]"), self._held.grpc_port
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if tls is None:
                return int(self._grpc.add_insecure_port(address))
            return int(self._grpc.add_secure_port(address, tls.credentials()))
        except RuntimeError:
            raise StartError(
                f"port {port} of {host} was taken meanwhile; give another {GRPC_OPTION}"
            ) from None

    async def _stop_grpc(self, seconds: float) -> int:
        stopping = asyncio.ensure_future(self._grpc.stop(seconds + 1))
        done, _ = await asyncio.wait([stopping], timeout=seconds)
        if done:
            return 0
        cut = self._traffic.inside["grpc"]
        await self._grpc.stop(None)  # at once
        return cut

    async def _watch_health(self) -> None:
        """Keeps the health service in step: it says no as long as a model has no version."""
        healthy = False
        while True:
            if healthy != all(self.available(name) for name in self.models()):
                healthy = not healthy
                await (self._health.ready() if healthy else self._health.starting())
            await asyncio.sleep(_HEALTH_SECONDS)
