"""Small sequence stores for tests, made in plain Python, step by step.

Also the reference for `models.sequences.text` and for the store builder of
`components.sequences`: nothing here calls them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.sequences.spec import UNKNOWN, SequenceInputs, SequenceSpec
from models.sequences.store import SequenceStore
from models.windows.store import SPLITS

Example = Mapping[str, Any]
"""A sequence by column: a list with a value per step; a text or a label of classify is one str."""


def make_sequences(spec: SequenceSpec, sequences: Mapping[str, Sequence[Example]]) -> SequenceStore:
    """A store of `sequences`, by split; a split that is not named is empty.

    Their ids are `train-0`, `train-1`, and so on, or what they have under `id`. Symbols, vocabulary
    and classes are as `SequenceStore` says.

    >>> spec = SequenceSpec(task="classify", inputs=SequenceInputs(symbols=("word",)), target="y")
    >>> make_sequences(spec, {"train": [{"word": ["a", "b"], "y": "good"}]})  # doctest: +SKIP
    """
    inputs = spec.inputs
    ids: list[str] = []
    lengths: list[int] = []
    ranges: dict[str, tuple[int, int]] = {}
    numbers: list[list[float]] = []
    words: dict[str, list[str]] = {column: [] for column in inputs.tokens}
    texts: list[str] = []
    targets: list[str] = []
    train_rows = train_targets = 0
    for split in SPLITS:
        first = len(ids)
        for i, sequence in enumerate(sequences.get(split, ())):
            steps = {c: [_fold(str(s), inputs) for s in sequence[c]] for c in inputs.symbols}
            if inputs.text is not None:
                texts.append(str(sequence[inputs.text]))
                steps[inputs.text] = cut(texts[-1], inputs)
            values = [[float(v) for v in sequence[c]] for c in inputs.numbers]
            several = {len(column) for column in [*steps.values(), *values]}
            label = () if spec.target is None else sequence[spec.target]
            labels = [str(label)] if spec.task == "classify" else [str(v) for v in label]
            if spec.task == "tag":
                several.add(len(labels))
            if len(several) != 1 or min(several) < (2 if spec.task == "next_step" else 1):
                raise ValueError(f"{split} sequence {i}: lengths {sorted(several)}")
            ids.append(str(sequence.get("id", f"{split}-{i}")))
            lengths += several
            numbers += [list(row) for row in zip(*values, strict=True)]
            for column, symbols in steps.items():
                words[column] += symbols
            targets += labels
        ranges[split] = (first, len(ids))
        if split == "train":
            train_rows, train_targets = sum(lengths), len(targets)
    vocabularies = {c: _vocabulary(words[c][:train_rows], inputs) for c in words}
    symbols = {c: tuple(dict.fromkeys(words[c])) for c in words}
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    if spec.task == "next_step":
        (column,) = words
        classes = (UNKNOWN, *vocabularies[column])
        known = {name: i for i, name in enumerate(classes) if i}
        following = [*[known.get(word, 0) for word in words[column]][1:], -1]
        labels_ = np.asarray(following, np.int32)
        labels_[offsets[1:] - 1] = -1
    else:
        classes = tuple(sorted(set(targets[:train_targets])))
        labels_ = np.asarray([classes.index(t) if t in classes else -1 for t in targets], np.int32)
    return SequenceStore(
        spec=spec,
        ids=tuple(ids),
        offsets=offsets,
        splits=ranges,
        numbers=np.asarray(numbers, np.float32).reshape(int(offsets[-1]), len(inputs.numbers)),
        codes={c: np.asarray([symbols[c].index(w) for w in words[c]], np.int32) for c in words},
        symbols=symbols,
        texts=tuple(texts),
        vocabularies=vocabularies,
        classes=classes,
        labels=labels_,
    )


def cut(text: str, inputs: SequenceInputs) -> list[str]:
    """The symbols of a text."""
    text = _fold(text, inputs)
    if inputs.split == "characters":
        return list(text)
    if inputs.split == "words":
        # str.isalnum decides, as \w does, what is a letter or a digit.
        return re.findall(r"[^\W_]+|[^\w\s]|_", text)
    return text.split()


def _fold(symbol: str, inputs: SequenceInputs) -> str:
    return symbol.lower() if inputs.lowercase else symbol


def _vocabulary(train: Sequence[str], inputs: SequenceInputs) -> tuple[str, ...]:
    counts = Counter(train)
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    known = [w for w in ordered if counts[w] >= inputs.min_count and w != UNKNOWN]
    return tuple(known[: inputs.vocabulary])
