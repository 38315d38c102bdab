"""Stores of every kind of task, small, with symbols and classes outside of train."""

from __future__ import annotations

import numpy as np

from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.sequences import make_sequences

KINDS = ("classify_mixed", "classify_text", "tag", "next_symbols", "next_text")


def store_of(kind):
    """A store of one of `KINDS`."""
    return {
        "classify_mixed": classify_mixed,
        "classify_text": classify_text,
        "tag": tag,
        "next_symbols": next_symbols,
        "next_text": next_text,
    }[kind]()


def classify_mixed():
    rng = np.random.default_rng(1)
    inputs = SequenceInputs(numbers=("Größe (m)", "x"), symbols=("word",), lowercase=True)
    spec = SequenceSpec(task="classify", inputs=inputs, target="y")

    def sequences(n, classes, words):
        for i in range(n):
            steps = 1 + int(rng.integers(6))
            yield {
                "Größe (m)": rng.normal(2, 3, steps),
                "x": rng.normal(size=steps),
                "word": list(rng.choice(words, steps)),
                "y": classes[i % len(classes)],
            }

    train = list(sequences(12, ("yes", "nö", "maybe"), ("A", "b", "ß")))
    test = list(sequences(9, ("yes", "never seen"), ("a", "B", "new")))
    return make_sequences(spec, {"train": train, "test": test})


def classify_text():
    inputs = SequenceInputs(text="Der Text", split="words", lowercase=True, min_count=2)
    spec = SequenceSpec(task="classify", inputs=inputs, target="y")
    train = [
        {"Der Text": "Good, good film", "y": "+"},
        {"Der Text": "bad film!", "y": "-"},
        {"Der Text": "Ärger: bad", "y": "-"},
    ]
    test = [{"Der Text": "a GOOD ärger", "y": "+"}, {"Der Text": "?", "y": "0"}]
    return make_sequences(spec, {"train": train, "test": test})


def tag():
    spec = SequenceSpec(
        task="tag", inputs=SequenceInputs(numbers=("size",), symbols=("word", "form")), target="tag"
    )
    train = [
        {"size": [1, 2, 3], "word": ["the", "old", "man"], "form": "abc", "tag": ["D", "A", "N"]},
        {"size": [4], "word": ["man"], "form": "a", "tag": ["N"]},
    ]
    test = [
        {"size": [4, 5], "word": ["the", "boat"], "form": "ab", "tag": ["D", "N"]},
        {"size": [4, 5, 6], "word": ["man", "the", "boat"], "form": "xyz", "tag": ["V", "D", "N"]},
        {"size": [0], "word": ["old"], "form": "a", "tag": ["N"]},
    ]
    return make_sequences(spec, {"train": train, "test": test})


def next_symbols():
    spec = SequenceSpec(task="next_step", inputs=SequenceInputs(symbols=("sym",)))
    train = [{"sym": "BTXSE"}, {"sym": "BPVVE"}, {"sym": "BTSSXXTVVE"}]
    test = [{"sym": "BTXSE"}, {"sym": "BQVE"}, {"sym": "BP"}]
    return make_sequences(spec, {"train": train, "test": test})


def next_text():
    spec = SequenceSpec(task="next_step", inputs=SequenceInputs(text="t", split="characters"))
    train = [{"t": "hällo"}, {"t": "wörld"}]
    test = [{"t": "hollow"}, {"t": "lo"}, {"t": "wxl"}]
    return make_sequences(spec, {"train": train, "test": test})
