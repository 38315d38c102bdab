"""`RestLimits`: how much of the server one REST request may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RestLimits:
    """Bounds of one request; beyond any of them it is refused, and the connection closed.

    Attributes:
        max_body_bytes: Of a body as it arrives; beyond: 413.
        max_decompressed_bytes: Of a body that arrives compressed, after that; beyond: 413.
        max_header_bytes: Of the headers; beyond: 431. While they arrive in pieces the HTTP server
            has to know too (`h11_max_incomplete_event_size` of uvicorn); beyond: 400.
        body_seconds: For a whole body to arrive; beyond: 408.
        request_seconds: From the first byte to the answer (30 s as in TF Serving); beyond: 504.
        inline_bytes: Larger bodies are decoded, and answers of larger requests encoded, in a worker
            thread, because they would hold up every other request meanwhile.
    """

    max_body_bytes: int = 32 * 1024 * 1024
    max_decompressed_bytes: int = 32 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
    body_seconds: float = 30.0
    request_seconds: float = 30.0
    inline_bytes: int = 64 * 1024

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"{name} is {value}, expected more than 0")
