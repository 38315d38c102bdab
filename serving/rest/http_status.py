"""`http_status`: the HTTP status of a canonical code, and `RefusalError`: a status of its own."""

from __future__ import annotations

from serving.status import Code, ServingError

_STATUS = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}


class RefusalError(ServingError):
    """A request that HTTP has a more exact status for than its canonical code.

    Attributes:
        status: The HTTP status.
        headers: To send along.
    """

    def __init__(
        self, status: int, code: Code, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.headers = headers


def http_status(error: ServingError) -> int:
    """The HTTP status for `error`, as TF Serving's `http_server.cc` maps codes."""
    return error.status if isinstance(error, RefusalError) else _STATUS[error.code]
