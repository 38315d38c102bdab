"""`build_sequence_network`: padded numbers and symbol ids in, logits out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from models.cells.registry import recurrent_layer
from models.errors import BadInputError
from models.features.scaling import Scaling
from models.network.wiring import Layers, recurrent
from models.sequences.config import SequenceModelConfig, misfit
from models.sequences.layers import KnownSymbols, Pool, RealSteps, ScaledNumbers, SymbolVectors
from models.sequences.spec import SequenceSpec
from models.sequences.view import LENGTH

Tensor = Any
NUMBERS = "numbers"
"""The input of number columns, float32 [batch, time, numbers]."""
_SEED_STRIDE = 1009


def tokens_input(index: int) -> str:
    """The input of the token column at `index`, int32 [batch, time]."""
    return f"tokens_{index}"


def known_symbols(vocabulary: Sequence[str], model: SequenceModelConfig) -> Sequence[str]:
    """The symbols of `vocabulary`, the frequent first, that the network tells apart."""
    return vocabulary[: model.symbols]


def embedding_width(vocabulary: int) -> int:
    """Length of the vector of a symbol where none is configured.

    The fourth root is a rule of thumb of the TensorFlow team ("Introducing TensorFlow feature
    columns", 2017); times 8, small alphabets have about as many dimensions as symbols.
    """
    return math.ceil(8 * max(1, vocabulary) ** 0.25)


def build_sequence_network(
    *,
    spec: SequenceSpec,
    vocabularies: Mapping[str, Sequence[str]],
    classes: int,
    model: SequenceModelConfig,
    scaling: Scaling,
    seed: int,
) -> keras.Model:
    """A Keras model from a padded batch of sequences to logits.

    Inputs, a dict: `numbers` float32 [batch, time, numbers] in natural units, where there are
    number columns; `tokens_<i>` int32 [batch, time] for token column `i`, ids as in
    `SequenceStore.token_ids`; `length` int32 [batch], at least 1. Output: float32 logits,
    [batch, classes] for classify, else [batch, time, classes], float32 even under a mixed-precision
    policy. What stands behind the length of a row has no effect on its logits; padded steps
    get some finite ones.

    At each step the first recurrent layer reads the scaled numbers and a vector for each symbol.
    The logits are a linear map of the last layer's states, with `shortcut` plus a linear map of
    the inputs of the same step, or of the pooled inputs (see `SequenceModelConfig`), which starts
    at zero. Dropout acts on the inputs of the recurrent layers and of the linear map alike
    (Zaremba et al., 2014, "Recurrent neural network regularization").

    Args:
        spec: Task and columns.
        vocabularies: By token column, the symbols known.
        classes: How many there are.
        model: Shape of the network.
        scaling: Moments on the train split of every number column; not needed with
            `normalize: none`.
        seed: Of the initial weights and dropout; equal seeds give equal weights.

    Raises:
        BadInputError: If the shape does not fit the task (see `misfit`), a column has no moments,
            or there are fewer than two classes.
    """
    reason = misfit(spec, model)
    if reason is not None:
        raise BadInputError(reason)
    if classes < 2:
        raise BadInputError(
            f"the train split has {classes} class of {spec.target or spec.inputs.tokens[0]!r}: "
            "there is nothing to tell apart; expected at least 2"
        )
    layers = _layers(spec, vocabularies, classes, model, scaling, seed)
    inputs: dict[str, Tensor] = {}
    if spec.inputs.numbers:
        shape = (None, len(spec.inputs.numbers))
        inputs[NUMBERS] = keras.Input(shape, dtype="float32", name=NUMBERS)
    for index in range(len(spec.inputs.tokens)):
        name = tokens_input(index)
        inputs[name] = keras.Input((None,), dtype="int32", name=name)
    inputs[LENGTH] = keras.Input((), dtype="int32", name=LENGTH)

    steps = joined_steps(layers, inputs)
    real = layers["elman_real"](steps, inputs[LENGTH])
    states = steps
    for index in range(len(model.units)):
        states = layers[recurrent(index)](states, mask=real)
    if "elman_pool" in layers:
        states = layers["elman_pool"](states, real)
    read = None
    if "elman_shortcut" in layers:
        pool = layers.get("elman_pool_inputs")
        read = steps if pool is None else pool(steps, real)
    return keras.Model(inputs, logits_of(layers, states, read), name="elman_sequences")


def joined_steps(layers: Layers, inputs: Mapping[str, Tensor]) -> Tensor:
    """What the first recurrent layer reads, float32 [batch, time, features].

    Args:
        layers: Of a sequence network, by name.
        inputs: As the network takes them; there may be a single step.
    """
    parts = []
    if NUMBERS in inputs:
        parts.append(layers["elman_numbers"](inputs[NUMBERS]))
    index = 0
    while tokens_input(index) in inputs:
        parts.append(layers[f"elman_symbols_{index}"](inputs[tokens_input(index)]))
        index += 1
    return parts[0] if len(parts) == 1 else layers["elman_steps"](parts)


def logits_of(layers: Layers, states: Tensor, read: Tensor | None) -> Tensor:
    """Logits from states [..., units], and from inputs [..., features] if there is a shortcut."""
    if "elman_drop" in layers:
        states = layers["elman_drop"](states)
    logits = layers["elman_logits"](states)
    if read is None:
        return logits
    return layers["elman_with_shortcut"]([logits, layers["elman_shortcut"](read)])


def _layers(
    spec: SequenceSpec,
    vocabularies: Mapping[str, Sequence[str]],
    classes: int,
    model: SequenceModelConfig,
    scaling: Scaling,
    seed: int,
) -> Layers:
    made: list[keras.Layer] = [RealSteps(name="elman_real")]
    numbers, tokens = spec.inputs.numbers, spec.inputs.tokens
    if numbers:
        made.append(ScaledNumbers(*_moments(numbers, scaling, model), name="elman_numbers"))
    for index, column in enumerate(tokens):
        known = len(known_symbols(vocabularies[column], model))
        made.append(
            KnownSymbols(
                known + 2,
                model.embedding or embedding_width(known),
                embeddings_initializer=SymbolVectors(seed + 7 + index),
                dtype="float32",
                name=f"elman_symbols_{index}",
            )
        )
    if len(tokens) + bool(numbers) > 1:
        made.append(keras.layers.Concatenate(dtype="float32", name="elman_steps"))
    whole = spec.task == "classify"
    for index, units in enumerate(model.units):
        last = index == len(model.units) - 1
        made.append(
            recurrent_layer(
                model.cell,
                units,
                activation=model.activation,
                return_sequences=not (last and whole and model.pooling == "last"),
                dropout=model.dropout,
                recurrent_dropout=model.recurrent_dropout,
                seed=seed + _SEED_STRIDE * (index + 1),
                name=recurrent(index),
                bidirectional=model.bidirectional,
            )
        )
    if whole and model.pooling != "last":
        made.append(Pool(model.pooling, name="elman_pool"))
    if model.dropout > 0:
        width = model.units[-1] * (2 if model.bidirectional else 1)
        made.append(
            keras.layers.Dropout(
                model.dropout,
                noise_shape=(None, width) if whole else (None, 1, width),
                seed=seed + 103,
                name="elman_drop",
            )
        )
    made.append(_linear(classes, keras.initializers.GlorotUniform(seed=seed + 101), "logits"))
    if model.shortcut:
        if whole:
            made.append(Pool(model.pooling, name="elman_pool_inputs"))
        made.append(_linear(classes, "zeros", "shortcut", use_bias=False))
        made.append(keras.layers.Add(dtype="float32", name="elman_with_shortcut"))
    return {layer.name: layer for layer in made}


def _linear(classes: int, initializer: Any, name: str, *, use_bias: bool = True) -> keras.Layer:
    return keras.layers.Dense(
        classes,
        use_bias=use_bias,
        kernel_initializer=initializer,
        dtype="float32",
        name=f"elman_{name}",
    )


def _moments(
    names: tuple[str, ...], scaling: Scaling, model: SequenceModelConfig
) -> tuple[list[float], list[float]]:
    if model.normalize == "none":
        return [0.0] * len(names), [1.0] * len(names)
    missing = [name for name in names if name not in scaling.columns]
    if missing:
        raise BadInputError(
            f"columns {missing} have no train statistics; there are some for "
            f"{sorted(scaling.columns)}. Every number column needs a value in the train split"
        )
    return [scaling[n].mean for n in names], [scaling[n].scale for n in names]
