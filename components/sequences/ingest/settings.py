"""What the ingest node of a sequence task carries as its parameters, in the metadata store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from components.keyed import Keyed
from components.sequences.config import SequenceDataConfig, SequenceSplitConfig
from models.sequences.spec import SequenceInputs, SequenceSpec


@dataclass(frozen=True)
class SequenceIngestSettings(Keyed):
    """The arguments of `ingest_sequences` and the fingerprints that the cache goes by."""

    data: SequenceDataConfig
    split: SequenceSplitConfig
    spec: SequenceSpec
    base: Path
    content: str
    source_digest: str

    def dumps(self) -> str:
        """JSON of all settings."""
        inputs = self.spec.inputs
        # How symbols are cut and counted is the windows node's: it must not make this run again.
        columns = SequenceInputs(numbers=inputs.numbers, symbols=inputs.symbols, text=inputs.text)
        spec = self.spec.model_copy(update={"inputs": columns})
        return json.dumps(
            {
                "data": self.data.model_dump(mode="json"),
                "split": self.split.model_dump(mode="json"),
                "spec": spec.model_dump(mode="json"),
                "base": str(self.base),
                "content": self.content,
                "source_digest": self.source_digest,
            },
            sort_keys=True,
        )

    @classmethod
    def loads(cls, text: str) -> SequenceIngestSettings:
        """The settings that `dumps` wrote."""
        values = json.loads(text)
        return cls(
            SequenceDataConfig.from_json(json.dumps(values["data"])),
            SequenceSplitConfig.from_json(json.dumps(values["split"])),
            SequenceSpec.from_json(json.dumps(values["spec"])),
            Path(values["base"]),
            values["content"],
            values["source_digest"],
        )
