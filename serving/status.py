"""`ServingError`: a request refused or failed, by the canonical codes of gRPC and TF Serving."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Canonical status codes, by the numbers of `google.rpc.Code` and `grpc.StatusCode`."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class ServingError(Exception):
    """A request that gets no answer but a status.

    Attributes:
        code: What kind of refusal or failure.
        message: For people; goes to the client as it is, so it never holds a path or a traceback.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"
