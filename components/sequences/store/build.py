"""`build_sequence_store`: from Parquet Examples of sequences to a `SequenceStore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.sequences.store.examples import SplitRows, read_splits
from components.sequences.store.report import MAX_LISTED, SequencesReport
from components.sequences.store.symbols import Symbols, symbols_of, symbols_of_texts
from models.errors import BadInputError
from models.sequences.spec import UNKNOWN, SequenceSpec
from models.sequences.store import MARKER, SequenceStore
from models.windows.store import SPLITS

Ints = npt.NDArray[np.int64]


def build_sequence_store(examples: Path, spec: SequenceSpec, out: Path) -> SequencesReport:
    """Lays the sequences of all splits end to end and looks their symbols and labels up.

    Vocabularies and classes are those of the train split alone. For next_step, sequences of one
    symbol are left out.

    Args:
        examples: Folder of the Examples artifact, as `ingest_sequences` writes it.
        spec: Columns and task.
        out: Folder for the store.

    Returns:
        What was found. The store is in `out`; load it with `SequenceStore.load`.

    Raises:
        BadInputError: If there are fewer than two classes, no symbol is known, a split has no
            sequence left, or the Examples are broken. No store is left in `out` then.
    """
    (out / MARKER).unlink(missing_ok=True)
    rows = read_splits(examples, spec)
    lengths = {split: found.lengths for split, found in rows.items()}
    symbols: dict[str, Symbols] = {}
    for column in spec.inputs.tokens:
        listed = [rows[split].tokens[column] for split in SPLITS]
        if spec.inputs.text is not None:
            symbols[column], cut = symbols_of_texts(column, listed, spec.inputs)
            lengths = dict(zip(SPLITS, cut, strict=True))
        else:
            symbols[column] = symbols_of(column, listed, spec.inputs)
    dropped = dict.fromkeys(SPLITS, 0)
    kept = {split: np.ones(len(n), bool) for split, n in lengths.items()}
    if spec.task == "next_step":
        kept = {split: n > 1 for split, n in lengths.items()}
        dropped = {split: int((~keep).sum()) for split, keep in kept.items()}
        _some_left(kept, lengths)
        symbols = {column: found.take(kept, lengths) for column, found in symbols.items()}
    vocabularies = {column: found.vocabulary(spec.inputs) for column, found in symbols.items()}
    ids = [name for s in SPLITS for name in rows[s].ids.filter(pa.array(kept[s])).to_pylist()]
    texts = [
        text
        for s in SPLITS
        if spec.inputs.text is not None
        for text in rows[s].tokens[spec.inputs.text].filter(pa.array(kept[s])).to_pylist()
    ]
    lengths = {split: n[kept[split]] for split, n in lengths.items()}
    offsets = np.concatenate(([0], np.cumsum(np.concatenate([*lengths.values()])))).astype(np.int64)
    if spec.task == "next_step":
        (column,) = symbols
        classes = (UNKNOWN, *vocabularies[column])
        labels = _following(symbols[column], vocabularies[column], offsets)
        names: list[str] = []
    else:
        classes, labels, names = _classes(rows, spec)
    ends = np.cumsum([0, *(len(n) for n in lengths.values())]).tolist()
    store = SequenceStore(
        spec=spec,
        ids=tuple(ids),
        offsets=offsets,
        splits={split: (ends[i], ends[i + 1]) for i, split in enumerate(SPLITS)},
        numbers=np.concatenate([rows[split].numbers for split in SPLITS])
        if spec.inputs.numbers
        else np.zeros((int(offsets[-1]), 0), np.float32),
        codes={column: found.codes for column, found in symbols.items()},
        symbols={column: found.names for column, found in symbols.items()},
        texts=tuple(texts),
        vocabularies=vocabularies,
        classes=classes,
        labels=labels,
    )
    store.save(out)
    return _report(store, dropped, names)


def _some_left(kept: dict[str, npt.NDArray[np.bool_]], lengths: dict[str, Ints]) -> None:
    for split, keep in kept.items():
        if not keep.any():
            raise BadInputError(
                f"the {split} split has no sequence of two symbols or more: next_step learns what "
                f"follows, and {len(lengths[split])} sequences have one symbol; check "
                "data.sequence or inputs.split"
            )


def _following(
    symbols: Symbols, vocabulary: tuple[str, ...], offsets: Ints
) -> npt.NDArray[np.int32]:
    """The class of the symbol after each one; -1 at the end of a sequence."""
    known = {name: i + 1 for i, name in enumerate(vocabulary)}
    classes = np.asarray([known.get(name, 0) for name in symbols.names], np.int32)
    labels = np.full(len(symbols.codes), -1, np.int32)
    labels[:-1] = classes[symbols.codes[1:]]
    labels[offsets[1:] - 1] = -1
    return labels


def _classes(
    rows: dict[str, SplitRows], spec: SequenceSpec
) -> tuple[tuple[str, ...], npt.NDArray[np.int32], list[str]]:
    """Classes, the index of every label, and the labels that are no class."""
    targets: list[Any] = [rows[split].target for split in SPLITS]
    train = targets[0].unique().to_pylist()
    classes = tuple(sorted(train))
    if len(classes) < 2:
        raise BadInputError(
            f"target {spec.target!r}: every label of the train split is {classes[0]!r}; there is "
            "nothing to tell apart: check the column, or split"
        )
    encoded = pa.concat_arrays(targets).dictionary_encode()
    names = encoded.dictionary.to_pylist()
    index = {name: i for i, name in enumerate(classes)}
    places = np.asarray([index.get(name, -1) for name in names], np.int32)
    labels = places[encoded.indices.to_numpy(zero_copy_only=False)]
    return classes, labels, sorted(set(names) - set(classes))


def _report(store: SequenceStore, dropped: dict[str, int], unseen: list[str]) -> SequencesReport:
    labelled = store.spec.task != "next_step"
    whole = store.spec.task == "classify"
    steps: dict[str, int] = {}
    longest: dict[str, int] = {}
    missing: dict[str, int] = {}
    counts = np.zeros(len(store.classes), np.int64)
    unknown: dict[str, dict[str, float]] = {column: {} for column in store.codes}
    for split, (first, stop) in store.splits.items():
        a, b = int(store.offsets[first]), int(store.offsets[stop])
        steps[split] = b - a
        longest[split] = int(np.diff(store.offsets[first : stop + 1]).max())
        for column, codes in store.codes.items():
            unknown[column][split] = float((store.token_ids(column)[codes[a:b]] == 1).mean())
        labels = store.labels[first:stop] if whole else store.labels[a:b]
        missing[split] = int((labels < 0).sum()) if labelled else 0
        if split == "train" and labelled:
            counts = np.bincount(labels, minlength=len(store.classes))
    return SequencesReport(
        sequences={split: stop - first for split, (first, stop) in store.splits.items()},
        steps=steps,
        dropped=dropped,
        longest=longest,
        classes=len(store.classes),
        train_labels=dict(zip(store.classes, counts.tolist(), strict=True)) if labelled else {},
        vocabulary={column: len(words) for column, words in store.vocabularies.items()},
        unknown=unknown,
        unseen=missing,
        unseen_labels=tuple(unseen[:MAX_LISTED]),
    )
