"""Trains small sequence networks for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models.sequences.config import SequenceModelConfig, SequenceTrainConfig
from models.sequences.fit import fit_sequences
from models.sequences.moments import train_moments
from models.sequences.network import build_sequence_network
from models.sequences.spec import SequenceInputs, SequenceSpec
from models.sequences.store import SequenceStore
from models.training.history import TrainingHistory
from models.training.machine import training_machine
from tests.sequences import make_sequences


def fit(
    store: SequenceStore,
    model: SequenceModelConfig,
    config: SequenceTrainConfig,
    folder: Path,
    ear: Any,
) -> tuple[TrainingHistory, Any]:
    """The history and the trained network."""
    with training_machine(config, ear):
        network = network_of(store, model, config.seed)
        history = fit_sequences(
            network,
            store.view("train"),
            store.view("validation"),
            config,
            checkpoints=folder,
            recorder=ear,
        )
    return history, network


def network_of(store: SequenceStore, model: SequenceModelConfig, seed: int = 1) -> Any:
    """A network for the store, not trained."""
    return build_sequence_network(
        spec=store.spec,
        vocabularies=store.vocabularies,
        classes=len(store.classes),
        model=model,
        scaling=train_moments(store.view("train")),
        seed=seed,
    )


def first_symbol(train: int = 160, validation: int = 60) -> SequenceStore:
    """classify: the first symbol decides, and up to 7 others follow."""
    rng = np.random.default_rng(3)

    def some(n: int) -> list[dict[str, Any]]:
        words = [[str(w) for w in rng.choice(list("abcd"), rng.integers(1, 9))] for _ in range(n)]
        return [{"w": w, "y": "left" if w[0] in "ab" else "right"} for w in words]

    spec = SequenceSpec(task="classify", inputs=SequenceInputs(symbols=("w",)), target="y")
    return make_sequences(spec, {"train": some(train), "validation": some(validation)})


def rising(train: int = 120, validation: int = 40) -> SequenceStore:
    """tag: whether the next number is larger, so that a network has to look ahead."""
    rng = np.random.default_rng(4)

    def some(n: int) -> list[dict[str, Any]]:
        rows = [rng.normal(100, 5, rng.integers(2, 9)) for _ in range(n)]
        return [
            {"x": list(x), "y": ["up" if d > 0 else "down" for d in np.diff(x)] + ["end"]}
            for x in rows
        ]

    spec = SequenceSpec(task="tag", inputs=SequenceInputs(numbers=("x",)), target="y")
    return make_sequences(spec, {"train": some(train), "validation": some(validation)})


def cycles(train: int = 80, validation: int = 30) -> SequenceStore:
    """next_step: abc over and over, or acb."""
    rng = np.random.default_rng(5)

    def some(n: int) -> list[dict[str, Any]]:
        texts = [str(rng.choice(["abc", "acb"])) * 4 for _ in range(n)]
        return [{"t": text[: rng.integers(4, 12)]} for text in texts]

    spec = SequenceSpec(task="next_step", inputs=SequenceInputs(text="t", split="characters"))
    return make_sequences(spec, {"train": some(train), "validation": some(validation)})
