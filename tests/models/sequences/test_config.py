"""What of the configuration of sequence networks is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from models.network.config import ModelConfig
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig, misfit
from models.sequences.spec import SequenceInputs, SequenceSpec
from models.training.config import FittingConfig, TrainConfig

SYMBOLS = SequenceInputs(symbols=("w",))


def spec(task: Any, inputs: SequenceInputs = SYMBOLS) -> SequenceSpec:
    return SequenceSpec(task=task, inputs=inputs, target=None if task == "next_step" else "y")


@pytest.mark.parametrize(
    ("task", "inputs", "model", "word"),
    [
        ("next_step", SYMBOLS, {"bidirectional": True}, "read it already"),
        ("tag", SYMBOLS, {"pooling": "mean"}, "nothing to pool"),
        ("next_step", SYMBOLS, {"pooling": "max"}, "nothing to pool"),
        ("tag", SequenceInputs(numbers=("x",)), {"embedding": 4}, "no symbols"),
    ],
)
def test_a_network_that_does_not_fit_its_task_is_refused_with_the_reason(
    task: Any, inputs: SequenceInputs, model: dict[str, Any], word: str
) -> None:
    reason = misfit(spec(task, inputs), SequenceModelConfig(**model))
    assert reason is not None
    assert word in reason


def test_all_others_fit() -> None:
    both = SequenceModelConfig(bidirectional=True, embedding=3)
    assert misfit(spec("tag"), both) is None
    assert misfit(spec("classify"), both.model_copy(update={"pooling": "max"})) is None
    assert misfit(spec("next_step"), SequenceModelConfig(shortcut=True)) is None


def test_sequence_tasks_have_no_truncated_bptt_and_no_window() -> None:
    with pytest.raises(ValidationError, match="unknown key 'bptt'"):
        SequenceTrainConfig.model_validate({"bptt": {"truncated": 3}})
    with pytest.raises(ValidationError, match="normalize"):
        SequenceModelConfig.model_validate({"normalize": "window"})


@pytest.mark.parametrize("weights", [{"a": 0.0}, {"a": -1.0}, {}, "equal"])
def test_class_weights_are_positive(weights: Any) -> None:
    with pytest.raises(ValidationError):
        SequenceTrainConfig(class_weights=weights)


def test_a_warmup_ends_before_the_training() -> None:
    with pytest.raises(ValidationError, match="must be shorter"):
        SequenceTrainConfig.model_validate({"epochs": 2, "schedule": {"warmup": 2}})


def test_keys_that_tasks_share_are_the_same() -> None:
    forecasts, sequences = TrainConfig(), SequenceTrainConfig()
    shared = list(FittingConfig.model_fields)
    assert [name for name in TrainConfig.model_fields if name in shared] == shared
    assert list(SequenceTrainConfig.model_fields)[: len(shared)] == shared
    for name in FittingConfig.model_fields:
        assert getattr(forecasts, name) == getattr(sequences, name), name
    assert set(ModelConfig.model_fields) - set(SequenceModelConfig.model_fields) == {"channels"}


def test_a_mapping_of_weights_survives_json() -> None:
    config = SequenceTrainConfig(class_weights={"b": 2.0, "a": 1.0})
    assert SequenceTrainConfig.from_json(config.canonical_json()) == config
