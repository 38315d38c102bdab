"""What the nodes of spans carry as their parameters, in the metadata store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from components.ingest.config import DataConfig, SplitConfig
from components.keyed import Keyed
from components.secrets import redacted
from components.spans.span import Span
from models.errors import BadInputError
from models.roles import Roles
from models.windows.gaps import GapsConfig


@dataclass(frozen=True)
class SpanSettings(Keyed):
    """The arguments of `ingest_span`, and what an earlier artifact must have been made with."""

    data: DataConfig
    roles: Roles
    span: Span
    base: Path
    settings: str
    code: str

    def dumps(self) -> str:
        """JSON of all settings; files that were only touched, or moved, are the same."""
        span = self.span.model_dump(mode="json")
        for file in span["files"]:
            file["mtime_ns"] = 0
        return json.dumps(
            {
                "data": kept(self.data),
                "roles": self.roles.model_dump(mode="json"),
                "span": span,
                "base": str(self.base),
                "settings": self.settings,
                "code": self.code,
            },
            sort_keys=True,
        )

    @classmethod
    def loads(cls, text: str) -> SpanSettings:
        """The settings that `dumps` wrote."""
        values = json.loads(text)
        return cls(
            DataConfig.from_json(json.dumps(values["data"])),
            Roles.from_json(json.dumps(values["roles"])),
            Span.from_json(json.dumps(values["span"])),
            Path(values["base"]),
            values["settings"],
            values["code"],
        )


@dataclass(frozen=True)
class JoinSettings(Keyed):
    """The arguments of `join_spans`; `spans` are [number, version, content] of each, in order."""

    data: DataConfig
    split: SplitConfig
    roles: Roles
    spans: tuple[tuple[int, int, str], ...]
    code: str

    def dumps(self) -> str:
        """JSON of all settings."""
        return json.dumps(
            {
                "data": kept(self.data),
                "split": self.split.model_dump(mode="json"),
                "roles": self.roles.model_dump(mode="json"),
                "spans": self.spans,
                "code": self.code,
            },
            sort_keys=True,
        )

    @classmethod
    def loads(cls, text: str) -> JoinSettings:
        """The settings that `dumps` wrote."""
        values = json.loads(text)
        return cls(
            DataConfig.from_json(json.dumps(values["data"])),
            SplitConfig.from_json(json.dumps(values["split"])),
            Roles.from_json(json.dumps(values["roles"])),
            tuple((number, version, content) for number, version, content in values["spans"]),
            values["code"],
        )


def kept(data: DataConfig) -> dict[str, object]:
    """The data section as the metadata store may keep it.

    What only decides which spans are taken (`keep`, `late`, `on_blocked`) is left out.

    Raises:
        BadInputError: If the database URL holds a password in plain text.
    """
    if data.url is not None and redacted(data.url) != data.url:
        raise BadInputError(
            f"data.url {redacted(data.url)!r} holds a secret, which the metadata store would "
            "keep: write ${NAME} in its place and set the environment variable NAME"
        )
    spans = None
    if data.spans is not None:
        spans = type(data.spans)(period=data.spans.period)
    plain = data.model_copy(update={"gaps": GapsConfig(), "spans": spans})
    return plain.model_dump(mode="json")
