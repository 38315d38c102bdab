"""Which baselines of a sequence task are scored, and their few settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from models.errors import BadInputError
from models.section import Section
from models.sequences.spec import SequenceSpec

SequenceBaselineName = Literal["majority", "naive_bayes", "most_frequent_tag", "bigram", "hmm"]


class SequenceBaselinesConfig(Section):
    """Baselines scored on the same sequences as the network, in every run."""

    names: tuple[SequenceBaselineName, ...] | None = Field(
        default=None,
        description="baselines that are fitted and scored; null: every one that fits the task "
        "and its inputs",
    )
    naive_bayes_alpha: float = Field(
        default=1.0, gt=0, description="added to each word's count; 1 is Laplace's rule"
    )
    naive_bayes_binary: bool = Field(
        default=False,
        description="count a symbol once per sequence, however often it is in it; often better "
        "for opinions, but cannot be read step by step",
    )
    bigram_discount: float = Field(
        default=0.75,
        gt=0,
        lt=1,
        description="taken off each count of a pair and given to the single symbols",
    )
    hmm_states: int = Field(
        default=8,
        ge=1,
        description="hidden states of each model; not used by tag, where the tags are the states",
    )
    hmm_iterations: int = Field(
        default=20, ge=1, description="most iterations of Baum and Welch's algorithm"
    )
    hmm_alpha: float = Field(
        default=0.05,
        gt=0,
        description="added to the counts of starts, transitions and symbols, so that none is "
        "impossible",
    )
    hmm_seed: int = Field(default=7, ge=0, lt=2**31, description="of where the fit starts")

    @field_validator("names")
    @classmethod
    def _once_each(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) != len(value):
            raise ValueError(f"a baseline is listed twice: {list(value)}")
        return value

    def chosen(self, spec: SequenceSpec) -> tuple[SequenceBaselineName, ...]:
        """The baselines to fit for `spec`, in order.

        Raises:
            BadInputError: If `names` has one that does not fit the task and inputs.
        """
        fitting = fitting_names(spec)
        if self.names is None:
            return fitting
        for name in self.names:
            if name not in fitting:
                raise BadInputError(
                    f"baselines.names has {name!r}, which {_NEEDS[name]}; for {spec.task} over "
                    f"{list(spec.inputs.columns)} choose among {list(fitting)}, or remove names "
                    "to have them all"
                )
        return self.names


def fitting_names(spec: SequenceSpec) -> tuple[SequenceBaselineName, ...]:
    """Every baseline that fits the task and its inputs, the plainest first."""
    tokens, numbers = len(spec.inputs.tokens), len(spec.inputs.numbers)
    fits: dict[SequenceBaselineName, bool] = {
        "majority": True,
        "naive_bayes": spec.task == "classify" and tokens > 0,
        "most_frequent_tag": spec.task == "tag" and tokens > 0,
        "bigram": spec.task == "next_step",
        # What hmmlearn fits is either symbols of one kind or numbers; with tags given, columns
        # are independent given the tag, whatever they are.
        "hmm": spec.task != "classify" or tokens == 0 or (tokens == 1 and numbers == 0),
    }
    return tuple(name for name, fit in fits.items() if fit)


_NEEDS: dict[str, str] = {
    "majority": "fits every task",
    "naive_bayes": "classifies by symbols or text",
    "most_frequent_tag": "tags by a symbol at each step",
    "bigram": "is for next_step",
    "hmm": "classifies by numbers alone or by one column of symbols or text alone",
}
