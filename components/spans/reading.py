"""`Terms`: how spans are read, which makes an earlier artifact fit for use or not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from components.ingest.config import DataConfig
from components.source_digest import source_digest
from models.roles import Roles

CODE = (
    "components/ingest",
    "components/spans/cut.py",
    "components/spans/incoming.py",
    "components/spans/ingest.py",
    "components/spans/join.py",
    "components/spans/report.py",
    "components/spans/rows.py",
    "models/frequency.py",
    "models/roles.py",
)
"""What decides the content of a span's artifact, and of the joined one."""


@dataclass(frozen=True)
class Terms:
    """What an earlier artifact must have been made with to be used again.

    Attributes:
        settings: Digest of how the configuration says that a span is read.
        code: Digest of the code that reads it.
        schema_digest: Of the schema file; it counts for spans that are blocked. Empty if there is
            no file.
    """

    settings: str
    code: str
    schema_digest: str

    @classmethod
    def of(cls, data: DataConfig, roles: Roles, schema_file: Path) -> Terms:
        """The terms of now."""
        schema = schema_file.read_bytes() if schema_file.exists() else b""
        digest = hashlib.sha256(schema).hexdigest()[:32] if schema else ""
        return cls(settings_digest(data, roles), source_digest(*CODE), digest)


def settings_digest(data: DataConfig, roles: Roles) -> str:
    """Of everything in the configuration that decides what a span holds: 32 hexadecimal digits."""
    parts = {
        "data": data.model_dump(mode="json", exclude={"spans", "gaps"}),
        "numbers": list(roles.dynamic),
        "statics": list(roles.covariates.static),
        "period": data.spans.period if data.spans is not None else None,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
