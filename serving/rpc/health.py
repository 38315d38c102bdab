"""`Health`: the standard health service, by which load balancers and Kubernetes ask."""

from __future__ import annotations

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio

SERVICES = (
    "",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)
"""Names that can be asked for; the empty one is the server as a whole."""


class Health:
    """Whether the server takes requests: not before `ready`, no more after `stopping`."""

    def __init__(self) -> None:
        self.servicer = aio.HealthServicer()

    async def starting(self) -> None:
        """Says that no request should come yet."""
        await self._set(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def ready(self) -> None:
        """Says that requests may come."""
        await self._set(health_pb2.HealthCheckResponse.SERVING)

    async def stopping(self) -> None:
        """Says that no further request should come; for good."""
        await self.servicer.enter_graceful_shutdown()

    async def _set(self, status: int) -> None:
        for service in SERVICES:
            await self.servicer.set(service, status)
