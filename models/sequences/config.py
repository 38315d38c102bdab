"""The shape of a network over whole sequences and its training, as configured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from models.network.config import RecurrentConfig
from models.sequences.spec import SequenceSpec
from models.training.config import FittingConfig


class SequenceModelConfig(RecurrentConfig):
    """A stack of recurrent layers over whole sequences, with a softmax on top.

    At every step the first layer reads the numbers, scaled with constants of the train split
    (`normalize: standard`) or as they are (`none`), and a learned vector for each symbol
    (`embedding`). `tag` and `next_step` give the classes of every step from its state; `classify`
    gives one from the states of all steps: the last one, their mean, or the largest value of each
    unit (`pooling`). Padding takes no part in any of it.

    `shortcut` adds a linear map from the inputs of a step to its classes, past the recurrent layers
    (a network with direct connections from input to output); for `classify` from the mean of the
    inputs over the steps, or with `pooling: max` from their largest values, or with `last` from
    those of the last step.

    Cells: `simple_rnn` is the Elman network (Elman, 1990); `lstm` is that of Hochreiter and
    Schmidhuber (1997) with a forget gate (Gers et al., 2000); `gru` that of Cho et al. (2014);
    `second_order` multiplies state and input, so that the input chooses how the state changes
    (second-order networks: Giles et al., 1992; here in the factored form of Sutskever et al., 2011,
    the multiplicative RNN). Layers of a stack read the states of the layer below at every step
    (Graves et al., 2013). Bidirectional layers (Schuster and Paliwal, 1997) read the sequence both
    ways and join the two states; `next_step` refuses them.

    Recurrent kernels start orthogonal (Saxe et al., 2014), input kernels Glorot uniform (Glorot and
    Bengio, 2010), and the forget gate of an LSTM with a bias of 1 (Jozefowicz et al., 2015).
    """

    shortcut: bool = Field(default=False, description="add a linear map from inputs to classes")
    normalize: Literal["standard", "none"] = Field(
        default="standard", description="what happens to numbers inside the graph"
    )
    embedding: int | None = Field(
        default=None,
        ge=1,
        description="length of the vector of a symbol; null: for each column 8 times the fourth "
        "root of the size of its vocabulary, rounded up",
    )
    symbols: int | None = Field(
        default=None,
        ge=1,
        description="most symbols of each column that the network knows, the frequent first; the "
        "others are unknown ones to it, so that it learns what an unknown one is, but not to the "
        "baselines; null: all of inputs.vocabulary",
    )
    pooling: Literal["last", "mean", "max"] = Field(
        default="last", description="classify: how the states of all steps become one"
    )


class SequenceTrainConfig(FittingConfig):
    """Optimisation, early stopping and hardware options.

    The loss is the cross-entropy of the labels that are known: a step that is padding, or whose
    label is not a class of the train split, has none. `class_weights` multiplies the loss of a
    label by the weight of its class: `balanced` is the inverse of the share that the class has
    of the train labels, over the number of classes; a mapping names weights, and classes that it
    leaves out weigh 1. `label_smoothing` moves that share of the truth to all classes alike
    (Szegedy et al., 2016).
    """

    class_weights: Literal["balanced"] | dict[str, float] | None = Field(
        default=None, description="null: all 1; balanced; or weights by class"
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="share of the truth given to all classes alike"
    )

    @field_validator("class_weights")
    @classmethod
    def _positive(cls, value: str | dict[str, float] | None) -> str | dict[str, float] | None:
        if isinstance(value, dict):
            bad = {name: weight for name, weight in value.items() if weight <= 0}
            if bad or not value:
                raise ValueError(f"expected a weight above 0 for at least one class, got {value}")
        return value


def misfit(spec: SequenceSpec, model: SequenceModelConfig) -> str | None:
    """Why `model` cannot be built for `spec`, with what to do; None where it can."""
    if spec.task == "next_step" and model.bidirectional:
        return (
            "model.bidirectional is true, but task next_step has to predict the symbol after each "
            "step: a layer that reads backwards has read it already. Write bidirectional: false"
        )
    if spec.task != "classify" and model.pooling != "last":
        return (
            f"model.pooling is {model.pooling}, but task {spec.task} has an output at every step "
            "and nothing to pool; remove the key"
        )
    if model.embedding is not None and not spec.inputs.tokens:
        return (
            f"model.embedding is {model.embedding}, but the inputs are numbers alone: there are "
            "no symbols to embed; remove the key"
        )
    return None
