"""`VersionStatus`: how far a version of a model has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from serving.status import Code


class State(IntEnum):
    """States of a version, by the numbers of `ModelVersionStatus.State` of TF Serving."""

    UNKNOWN = 0
    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class VersionStatus:
    """The state of a version; `message` says why, if `code` is not OK."""

    version: int
    state: State
    code: Code = Code.OK
    message: str = ""
