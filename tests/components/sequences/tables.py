"""Small tables of sequences as files, and the Examples that came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from components.sequences.config import SequenceDataConfig, SequenceSplitConfig
from components.sequences.ingest.ingest import ingest_sequences
from components.sequences.ingest.report import SequenceIngestReport
from models.sequences.spec import SequenceSpec
from models.windows.store import SPLITS

BY_PART = {"by": "column", "column": "part"} | {split: [split] for split in SPLITS}
TAG = {"task": "tag", "inputs": {"numbers": ["x"], "symbols": ["w"]}, "target": "y"}
CLASSIFY = {"task": "classify", "inputs": {"numbers": ["x"]}, "target": "y"}
TEXT = {"task": "classify", "inputs": {"text": "t"}, "target": "y"}

TABLE = """\
id,at,x,w,y,part
b,2,0.5,dog,N,train
a,1,1,a,D,train
b,1,-2e-3,the,D,train
c,1,3,Cat,N,validation
a,2,4,cat,N,train
d,10,5,sat,V,test
d,9,6,it,P,test
"""
"""Sequences a, b (train), c (validation) and d (test), out of order."""


def ingest(
    folder: Path,
    files: Mapping[str, str | bytes],
    data: Mapping[str, Any],
    split: Mapping[str, Any] = BY_PART,
    spec: Mapping[str, Any] = TAG,
) -> SequenceIngestReport:
    """Writes `files` into `folder` and ingests them into `folder/examples`."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return ingest_sequences(
        SequenceDataConfig.model_validate(data),
        SequenceSplitConfig.model_validate(split),
        SequenceSpec.model_validate(spec),
        folder,
        folder / "examples",
    )


def long_table(folder: Path, content: str = TABLE, **options: Any) -> SequenceIngestReport:
    """Ingests a CSV of the columns of `TABLE`."""
    spec = options.pop("spec", TAG)
    split = options.pop("split", BY_PART)
    data = {"path": "a.csv", "sequence": "id", "step": "at", **options}
    return ingest(folder, {"a.csv": content}, data, split, spec)


def examples(folder: Path, split: str) -> dict[str, dict[str, Any]]:
    """What `folder/examples` says of a split: by id, by column its list."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((folder / "examples" / f"Split-{split}").glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            plain = {
                name: [v.decode() if isinstance(v, bytes) else v for v in values]
                for name, values in row.items()
            }
            (name,) = plain.pop("sequence")
            assert name not in found
            found[name] = plain
    return found


def ids(folder: Path) -> dict[str, list[str]]:
    """The ids by split, in order."""
    return {split: list(examples(folder, split)) for split in SPLITS}


def texts(rows: Sequence[tuple[str, str]], separator: str = "\t") -> str:
    """A file of texts and labels without a header."""
    return "".join(f"{text}{separator}{label}\n" for text, label in rows)
