from __future__ import annotations

import numpy as np
import pytest

from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.sequences import make_sequences

CASES = {
    "classify-text": ("classify", SequenceInputs(text="said", vocabulary=12)),
    "classify-symbols": ("classify", SequenceInputs(symbols=("a", "b"), vocabulary=12)),
    "classify-numbers": ("classify", SequenceInputs(numbers=("x", "y"))),
    "classify-mixed": ("classify", SequenceInputs(numbers=("x",), symbols=("a",))),
    "tag-symbols": ("tag", SequenceInputs(symbols=("a",), vocabulary=12)),
    "tag-numbers": ("tag", SequenceInputs(numbers=("x", "y"))),
    "tag-mixed": ("tag", SequenceInputs(numbers=("y",), symbols=("a", "b"))),
    "next_step-symbols": ("next_step", SequenceInputs(symbols=("a",), vocabulary=12)),
    "next_step-text": ("next_step", SequenceInputs(text="said", min_count=2)),
}


def made(task, inputs, *, train=60, test=13, seed=0):
    """Sequences whose symbols and numbers depend on a hidden class; some test symbols are new."""
    rng = np.random.default_rng(seed)
    splits = {}
    for split, number, words in (("train", train, 15), ("validation", 0, 15), ("test", test, 18)):
        splits[split] = []
        for i in range(number):
            n = int(rng.integers(2, 11))
            kind = rng.integers(0, 3, n) if task == "tag" else np.full(n, i % 3)
            shown = (rng.geometric(0.25, n) + 5 * kind) % words
            symbols = [f"w{k}" for k in shown]
            sequence = {
                "a": symbols,
                "b": [f"w{k}" for k in rng.integers(0, 4, n) * (kind + 1)],
                "said": " ".join(symbols),
                "x": (1000 + rng.normal(size=n) + kind).tolist(),
                "y": (kind * rng.normal(size=n)).tolist(),
            }
            if task != "next_step":
                tags = [f"class{k}" for k in kind]
                sequence["label"] = tags if task == "tag" else tags[0]
            splits[split].append(sequence)
    target = None if task == "next_step" else "label"
    return make_sequences(SequenceSpec(task=task, inputs=inputs, target=target), splits)


@pytest.fixture(scope="session")
def make():
    return made


@pytest.fixture(scope="session", params=list(CASES))
def store(request):
    """A store of each task and kind of inputs."""
    return made(*CASES[request.param])
