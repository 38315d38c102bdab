"""Hidden Markov models, one kind for each task."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.hmm.baum_welch import Fit, fit_categorical, fit_gaussian
from models.hmm.chain import Array
from models.hmm.emissions import Categorical, DiagonalGaussian
from models.hmm.supervised import count_chain, count_symbols, fit_numbers
from models.sequence_baselines.config import SequenceBaselinesConfig
from models.sequence_baselines.hmm_classify import HmmClassifyCore
from models.sequence_baselines.hmm_next_step import HmmNextStepCore
from models.sequence_baselines.hmm_tag import HmmTagCore
from models.sequence_baselines.protocol import class_counts
from models.sequences.core import SequenceCore
from models.sequences.view import SequenceView


class HiddenMarkov:
    """A hidden Markov model (Rabiner, 1989, "A tutorial on hidden Markov models").

    - tag: the tags are the states, so starts, transitions and emissions are counted and smoothed.
      Logits are log posteriors of each step's tag (forward-backward): they make the most
      probable tag at each step, which is what accuracy counts, and they are probabilities, which
      log loss needs. The Viterbi path is the best whole path and has no probability for a step;
      `models.hmm.recursions.viterbi` gives it. Columns are independent given the tag.
    - classify: one model per class by Baum-Welch, of symbols or of vectors with independent
      Gaussian numbers; logits are log likelihood plus log share of the class, normalised.
    - next_step: one model of symbols by Baum-Welch; logits are the log forward probabilities of
      the next symbol.

    Args:
        config: `hmm_states`, `hmm_iterations`, `hmm_alpha` and `hmm_seed`.
    """

    name = "hmm"

    def __init__(self, config: SequenceBaselinesConfig) -> None:
        self.config = config
        self._facts: dict[str, Any] = {}

    def fit(self, train: SequenceView, validation: SequenceView | None) -> SequenceCore:  # noqa: ARG002
        """Fits the model of the task."""
        return {"tag": self._tag, "classify": self._classify, "next_step": self._next_step}[
            train.store.spec.task
        ](train)

    def describe(self) -> dict[str, Any]:
        """Number of `states`; for Baum-Welch by class (or `all`): `states`, `iterations` and the
        log likelihood per step before the first and the last of them.
        """
        return self._facts

    def _tag(self, train: SequenceView) -> SequenceCore:
        spec, kinds = train.store.spec, len(train.store.classes)
        alpha, tags = self.config.hmm_alpha, train.labels()
        columns = [
            count_symbols(
                train.token_ids(column) - 1,
                tags,
                kinds=kinds,
                vocabulary=len(train.store.vocabularies[column]) + 1,
                alpha=alpha,
            )
            for column in spec.inputs.tokens
        ]
        numbers = fit_numbers(train.numbers(), tags, kinds=kinds) if spec.inputs.numbers else None
        self._facts = {"states": kinds, "alpha": alpha, "steps": len(tags)}
        chain = count_chain(tags, train.steps, kinds=kinds, alpha=alpha)
        return HmmTagCore(chain, columns, numbers)

    def _classify(self, train: SequenceView) -> SequenceCore:
        labels, names = train.labels(), train.store.classes
        counts = class_counts(train)
        scale = _moments(train.numbers()) if train.store.spec.inputs.numbers else None
        fits: list[Fit[Any]] = []
        facts = {}
        for label, name in enumerate(names):
            part = train.take(np.flatnonzero(labels == label))
            if scale is not None:
                fit: Fit[Any] = self._of_numbers(part, *scale)
            else:
                fit = self._of_symbols(_symbols(part), part.steps, part)
            fits.append(fit)
            facts[name] = _facts(fit, part.steps)
        self._facts = {"states": self.config.hmm_states, "classes": facts}
        return HmmClassifyCore(
            np.log(counts / counts.sum()), [f.chain for f in fits], [f.emission for f in fits]
        )

    def _next_step(self, train: SequenceView) -> SequenceCore:
        # The symbols read and, of each sequence, the last one, which is only a label.
        ends = np.cumsum(train.steps)
        symbols = np.insert(_symbols(train), ends, train.labels()[ends - 1])
        fit = self._of_symbols(symbols, train.steps + 1, train)
        self._facts = {"states": self.config.hmm_states, "all": _facts(fit, train.steps + 1)}
        return HmmNextStepCore(fit.chain, fit.emission)

    def _of_symbols(self, symbols: Any, lengths: Any, view: SequenceView) -> Fit[Categorical]:
        vocabulary = view.store.vocabularies[view.store.spec.inputs.tokens[0]]
        return fit_categorical(
            symbols,
            lengths,
            states=self.config.hmm_states,
            kinds=len(vocabulary) + 1,
            iterations=self.config.hmm_iterations,
            seed=self.config.hmm_seed,
            alpha=self.config.hmm_alpha,
        )

    def _of_numbers(
        self, part: SequenceView, mean: Array, deviation: Array
    ) -> Fit[DiagonalGaussian]:
        return fit_gaussian(
            part.numbers(),
            part.steps,
            states=self.config.hmm_states,
            iterations=self.config.hmm_iterations,
            seed=self.config.hmm_seed,
            alpha=self.config.hmm_alpha,
            mean=mean,
            deviation=deviation,
        )


def _moments(values: npt.NDArray[np.float32]) -> tuple[Array, Array]:
    """Mean and standard deviation of each number; a constant one is only centred."""
    data = np.asarray(values, np.float64)
    mean, deviation = data.mean(axis=0), data.std(axis=0)
    return mean, np.where(deviation > 1e-12 * np.abs(mean), deviation, 1.0)


def _symbols(view: SequenceView) -> Any:
    """Ids without padding: int `[steps]`, 0 for the unknown symbol."""
    return view.token_ids(view.store.spec.inputs.tokens[0]) - 1


def _facts(fit: Fit[Any], lengths: npt.NDArray[np.int64]) -> dict[str, Any]:
    steps = int(lengths.sum())
    return {
        "states": fit.chain.states,
        "iterations": len(fit.log_likelihood),
        "log_likelihood_first": fit.log_likelihood[0] / steps,
        "log_likelihood_last": fit.log_likelihood[-1] / steps,
    }
