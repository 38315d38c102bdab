from __future__ import annotations

import pytest
from pydantic import ValidationError

from components.sequence_backtest.config import (
    HIGHER_IS_BETTER,
    SEQUENCE_METRICS,
    SequenceGateConfig,
)


@pytest.mark.parametrize(
    ("task", "metric"),
    [("classify", "accuracy"), ("tag", "accuracy"), ("next_step", "perplexity")],
)
def test_every_task_has_a_metric_unless_one_is_named(task, metric):
    assert SequenceGateConfig().metric_of(task) == metric
    assert SequenceGateConfig(metric="log_loss").metric_of(task) == "log_loss"


def test_every_metric_has_a_direction():
    assert set(HIGHER_IS_BETTER) == set(SEQUENCE_METRICS)


def test_all_scored_baselines_are_to_be_beaten_unless_some_are_named():
    scored = ("majority", "naive_bayes")
    assert SequenceGateConfig().beats_of(scored) == scored
    assert SequenceGateConfig(beats=()).beats_of(scored) == ()
    assert SequenceGateConfig(beats=("majority",)).beats_of(scored) == ("majority",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"beats": ["majority", "majority"]}, "twice"),
        ({"beats": ["oracle"]}, "naive_bayes"),
        ({"metric": "mae"}, "perplexity"),
        ({"margin": 1.0}, "less than 1"),
        ({"bless": "none"}, "best"),
        ({"significanse": 0.05}, "significance"),
    ],
)
def test_what_makes_no_sense_is_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        SequenceGateConfig.model_validate(given)


def test_a_gate_comes_back_from_its_text():
    gate = SequenceGateConfig(metric="macro_f1", beats=("hmm",), significance=0.05, bless="model")
    assert SequenceGateConfig.from_json(gate.canonical_json()) == gate
