"""Baselines of sequence tasks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.sequence_baselines.bigram import Bigram
from models.sequence_baselines.config import SequenceBaselineName, SequenceBaselinesConfig
from models.sequence_baselines.hmm import HiddenMarkov
from models.sequence_baselines.majority import Majority
from models.sequence_baselines.most_frequent_tag import MostFrequentTag
from models.sequence_baselines.naive_bayes import NaiveBayes
from models.sequence_baselines.protocol import SequenceBaseline

REGISTRY: Mapping[SequenceBaselineName, Callable[[SequenceBaselinesConfig], SequenceBaseline]] = {
    "majority": lambda _config: Majority(),
    "naive_bayes": lambda config: NaiveBayes(
        config.naive_bayes_alpha, binary=config.naive_bayes_binary
    ),
    "most_frequent_tag": lambda _config: MostFrequentTag(),
    "bigram": lambda config: Bigram(config.bigram_discount),
    "hmm": HiddenMarkov,
}


def build(name: SequenceBaselineName, config: SequenceBaselinesConfig) -> SequenceBaseline:
    """The baseline called `name`, not yet fitted."""
    return REGISTRY[name](config)
