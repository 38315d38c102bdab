"""`RequestLogSettings`: which requests are kept, and where. Needs no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RequestLogSettings:
    """A sample of the answered requests as TFRecords of PredictionLog.

    Attributes:
        directory: Folder of the files; made if it is missing.
        sample: Share of the requests kept, 0 to 1.
        max_bytes: A file that has reached this size is followed by another.
        max_seconds: So is a file that is this old.
        keep: Files kept; the oldest ones are deleted.
        queue_requests: Requests that wait to be written at most; more are dropped and counted.
        queue_bytes: Bytes of their arrays, likewise.

    Raises:
        ValueError: If a value is out of range.
    """

    directory: Path
    sample: float = 0.01
    max_bytes: int = 64 * 2**20
    max_seconds: float = 3600.0
    keep: int = 100
    queue_requests: int = 1000
    queue_bytes: int = 64 * 2**20

    def __post_init__(self) -> None:
        if not 0 <= self.sample <= 1:
            raise ValueError(f"sample must be between 0 and 1, got {self.sample}")
        for name in ("max_bytes", "max_seconds", "keep", "queue_requests", "queue_bytes"):
            value = getattr(self, name)
            if value <= 0:
                raise ValueError(f"{name} must be above 0, got {value}")
