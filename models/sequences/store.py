"""`SequenceStore`: all sequences end to end in flat arrays, on disk, memory-mapped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import FailedRunError
from models.sequences.spec import SequenceSpec
from models.sequences.view import SequenceView
from models.windows.store import SPLITS

FORMAT = 1
MARKER = "sequences.json"


@dataclass(frozen=True)
class SequenceStore:
    """All sequences, raw, with what the train split says about symbols and classes.

    A step of a sequence is a row; rows of a sequence are consecutive, and sequences are ordered by
    split. A symbol is kept as its index in `symbols`, which lists every symbol there is; what a
    model knows is `vocabularies`.

    Attributes:
        spec: Columns and task.
        ids: Ids of the sequences, in order.
        offsets: int64 `[sequences + 1]`: the first row of each sequence, and the end.
        splits: By split, the range of its sequences: (first, stop).
        numbers: float32 `[rows, numbers]`, natural units, finite.
        codes: By symbol or text column, int32 `[rows]`: index into `symbols` of that column.
        symbols: By symbol or text column, every distinct symbol; a text's are those that
            `models.sequences.text` cuts it into.
        texts: With a text, the raw string of each sequence; else empty.
        vocabularies: By symbol or text column, the symbols of the train split that models know,
            the frequent first (ties in order of code points).
        classes: Names of the classes of the train split: labels in order of code points; for
            next_step `UNKNOWN` followed by the vocabulary.
        labels: int32, index into `classes`, -1 where the class is not among them: `[sequences]`
            for classify, else `[rows]`. For next_step the label of the last row of a sequence
            is -1 and means nothing: see `SequenceView.steps`.
    """

    spec: SequenceSpec
    ids: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    splits: Mapping[str, tuple[int, int]]
    numbers: npt.NDArray[np.float32]
    codes: Mapping[str, npt.NDArray[np.int32]]
    symbols: Mapping[str, tuple[str, ...]]
    texts: tuple[str, ...]
    vocabularies: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...]
    labels: npt.NDArray[np.int32]

    def view(self, split: str) -> SequenceView:
        """The sequences of one split (`train`, `validation` or `test`), as a view."""
        return SequenceView(self, np.arange(*self.splits[split], dtype=np.int64))

    def token_ids(self, column: str) -> npt.NDArray[np.int32]:
        """By index into `symbols[column]`, the id that models know: 1 for unknown, 2 and on for the
        vocabulary in its order. 0 is padding.
        """
        known = {word: i + 2 for i, word in enumerate(self.vocabularies[column])}
        return np.asarray([known.get(s, 1) for s in self.symbols[column]], np.int32)

    def save(self, folder: Path) -> None:
        """Writes the store into `folder` (made if missing); the marker is written last."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).unlink(missing_ok=True)
        arrays = {"offsets": self.offsets, "numbers": self.numbers, "labels": self.labels}
        for i, column in enumerate(self.spec.inputs.tokens):
            arrays[f"codes-{i}"] = self.codes[column]
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(array))
        meta = {
            "format": FORMAT,
            "spec": self.spec.model_dump(mode="json"),
            "splits": {split: list(self.splits[split]) for split in SPLITS},
            "classes": list(self.classes),
            "vocabularies": {k: list(v) for k, v in self.vocabularies.items()},
        }
        words = {
            "ids": list(self.ids),
            "texts": list(self.texts),
            "symbols": {k: list(v) for k, v in self.symbols.items()},
        }
        (folder / "words.json").write_text(_json(words), encoding="utf-8")
        part = folder / f"{MARKER}.part"
        part.write_text(_json(meta), encoding="utf-8")
        part.replace(folder / MARKER)

    @classmethod
    def load(cls, folder: Path) -> SequenceStore:
        """The store saved in `folder`; arrays are memory-mapped, read-only.

        Raises:
            FailedRunError: If `folder` holds no finished store, or one of another format.
        """
        try:
            meta = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise FailedRunError(
                f"{folder} holds no finished sequence store ({MARKER} is missing): run the "
                "pipeline again"
            ) from None
        if meta["format"] != FORMAT:
            raise FailedRunError(
                f"{folder}: sequence store of format {meta['format']}, expected {FORMAT}: run the "
                "pipeline again"
            )
        words = json.loads((folder / "words.json").read_text(encoding="utf-8"))

        def array(name: str) -> Any:
            return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

        spec = SequenceSpec.model_validate_json(json.dumps(meta["spec"]))
        return cls(
            spec=spec,
            ids=tuple(words["ids"]),
            offsets=array("offsets"),
            splits={k: (int(v[0]), int(v[1])) for k, v in meta["splits"].items()},
            numbers=array("numbers"),
            codes={c: array(f"codes-{i}") for i, c in enumerate(spec.inputs.tokens)},
            symbols={k: tuple(v) for k, v in words["symbols"].items()},
            texts=tuple(words["texts"]),
            vocabularies={k: tuple(v) for k, v in meta["vocabularies"].items()},
            classes=tuple(meta["classes"]),
            labels=array("labels"),
        )


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
