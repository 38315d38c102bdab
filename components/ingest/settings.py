"""What the ingest node carries as its parameters, in the metadata store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from components.ingest.config import DataConfig, SplitConfig
from components.keyed import Keyed
from components.secrets import redacted
from models.errors import BadInputError
from models.roles import Roles
from models.windows.gaps import GapsConfig


@dataclass(frozen=True)
class IngestSettings(Keyed):
    """The arguments of `ingest` and the fingerprints that the cache goes by."""

    data: DataConfig
    split: SplitConfig
    roles: Roles
    base: Path
    content: str
    source_digest: str

    def dumps(self) -> str:
        """JSON of all settings; the metadata store keeps it in clear text.

        Raises:
            BadInputError: If the database URL holds a password in plain text.
        """
        # Gaps are filled by the windows node: they must not make ingestion run again.
        data = self.data.model_copy(update={"gaps": GapsConfig()})
        if data.url is not None and redacted(data.url) != data.url:
            raise BadInputError(
                f"data.url {redacted(data.url)!r} holds a secret, which the metadata store would "
                "keep: write ${NAME} in its place and set the environment variable NAME"
            )
        return json.dumps(
            {
                "data": data.model_dump(mode="json"),
                "split": self.split.model_dump(mode="json"),
                "roles": self.roles.model_dump(mode="json"),
                "base": str(self.base),
                "content": self.content,
                "source_digest": self.source_digest,
            },
            sort_keys=True,
        )

    @classmethod
    def loads(cls, text: str) -> IngestSettings:
        """The settings that `dumps` wrote."""
        values = json.loads(text)
        return cls(
            DataConfig.from_json(json.dumps(values["data"])),
            SplitConfig.from_json(json.dumps(values["split"])),
            Roles.from_json(json.dumps(values["roles"])),
            Path(values["base"]),
            values["content"],
            values["source_digest"],
        )
