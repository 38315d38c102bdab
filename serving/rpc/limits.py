"""`GrpcLimits`: what one client, one connection and one message may take of the gRPC server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GrpcLimits:
    """Limits of the gRPC server; the server answers RESOURCE_EXHAUSTED beyond them.

    Attributes:
        max_message_bytes: Largest request and answer in bytes; also the largest array that a
            request may describe in fewer bytes.
        max_concurrent_requests: Requests in work at the same time, health's not counted; None: no
            bound.
        max_streams: Requests at the same time on one connection; more wait in the client.
        default_seconds: Time for a request that brings no deadline; None: no bound.
        max_seconds: Time for a request at most, whatever its deadline; None: no bound.
        keepalive_seconds: A connection on which nothing came for so long is asked whether it lives,
            so that clients that vanished give back what they hold.
        min_ping_seconds: A client that pings more often than this is hung up on.
    """

    max_message_bytes: int = 64 * 2**20
    max_concurrent_requests: int | None = 1000
    max_streams: int = 256
    default_seconds: float | None = None
    max_seconds: float | None = None
    keepalive_seconds: float = 60.0
    min_ping_seconds: float = 10.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be above 0 (or None, where allowed), got {value}")

    def seconds(self, asked: float | None) -> float | None:
        """The time that a request gets.

        Args:
            asked: Seconds until its own deadline; None if it brings none.

        Returns:
            Seconds; None for no bound.
        """
        wanted = self.default_seconds if asked is None else asked
        bounds = [s for s in (wanted, self.max_seconds) if s is not None]
        return min(bounds, default=None)

    def options(self) -> list[tuple[str, int]]:
        """The limits as channel arguments of a gRPC server."""
        return [
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.max_concurrent_streams", self.max_streams),
            ("grpc.keepalive_time_ms", int(self.keepalive_seconds * 1000)),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", int(self.min_ping_seconds * 1000)),
            # A port that another server has is an error, not a port for two.
            ("grpc.so_reuseport", 0),
        ]
