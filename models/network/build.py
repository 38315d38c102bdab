"""`build_forecaster`: the network of a forecast task, raw values in, raw values out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras

from models.cells.registry import recurrent_layer
from models.errors import BadInputError
from models.features.normalization import Columns, Denormalize, TargetNormalization
from models.features.scaling import Scaling
from models.features.vocabulary import VocabularyEmbedding, embedding_size
from models.heads.direct import DirectHead
from models.heads.shortcut import Shortcut
from models.network.config import ModelConfig
from models.network.inputs import input_specs
from models.network.plumbing import BatchToTargets, TargetsToBatch
from models.network.wiring import (
    BY_TARGET,
    SHORTCUT,
    Layers,
    connect,
    lookback_layers,
    recurrent,
)
from models.roles import OBSERVED, Roles
from models.windows.spec import WindowSpec

Tensor = Any
STEP_WIDTH = 16
"""Width of the per-step network of the head, where features of the horizon are known."""
_SEED_STRIDE = 1009


def build_forecaster(
    *,
    spec: WindowSpec,
    roles: Roles,
    model: ModelConfig,
    scaling: Scaling,
    frequency: str,
    vocabularies: Mapping[str, tuple[str, ...]] | None = None,
    seed: int,
) -> keras.Model:
    """A Keras model from raw windows to raw forecasts; everything in between is in its graph.

    Inputs, a dict by column: targets and past covariates float32 [batch, lookback]; future
    covariates float32 [batch, lookback + gap + horizon]; static covariates [batch], string if
    they have a vocabulary and float32 if not; and, with calendar features, `time` int64 [batch],
    Unix seconds of the forecast origin. Outputs, a dict by target: float32 [batch, horizon].
    Everything is in natural units, and float32 even under a mixed-precision policy.

    The encoder reads at every step: the normalised targets, past covariates, the past part of
    future covariates, calendar features and static covariates. The head reads the last state,
    static covariates, and the future covariates and calendar of each step of the horizon.
    With `channels: shared` each target passes through the same weights by itself.

    Columns may have any name. Keras itself makes TensorFlow name scopes of the keys of a dict of
    losses, which fails for names such as `#Passengers`: train on one tensor of all targets.

    Args:
        spec: Lengths of the window.
        roles: Columns by role.
        model: Shape of the network.
        scaling: Moments on the train split of every number column (not of `observed`); not
            needed with `normalize: none`.
        frequency: Step of the series, a pandas offset alias.
        vocabularies: Known words of each static text covariate.
        seed: Of the initial weights and dropout; equal seeds give equal weights.

    Raises:
        BadInputError: If a column has no scaling, a vocabulary is empty or belongs to no static
            covariate, names collide, or calendar features are not defined for `frequency`.
    """
    words = dict(vocabularies or {})
    _check_vocabularies(roles, words)
    layers = _layers(spec, roles, model, scaling, frequency, words, seed)
    inputs = _inputs(spec, roles, words)

    def encode(steps: Tensor) -> Tensor:
        for index in range(len(model.units)):
            steps = layers[recurrent(index)](steps)
        return steps

    outputs = connect(layers, inputs, roles, tuple(words), encode=encode)
    with warnings.catch_warnings():
        # The keys are the columns; an input layer may not be able to bear its column's name.
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        return keras.Model(inputs, outputs, name="elman_forecaster")


def _layers(
    spec: WindowSpec,
    roles: Roles,
    model: ModelConfig,
    scaling: Scaling,
    frequency: str,
    words: Mapping[str, tuple[str, ...]],
    seed: int,
) -> Layers:
    """Every layer that `connect` asks for by name, but for those that only join."""
    c, width = roles.covariates, len(roles.targets)
    shared = model.channels == "shared"
    made: list[keras.Layer] = []

    def columns(names: tuple[str, ...], name: str) -> None:
        if names:
            made.append(Columns(*_moments(names, scaling, model), name=name))

    mean, scale = _moments(roles.targets, scaling, model)
    made.append(Columns([0.0] * width, [1.0] * width, name="elman_targets"))
    made.append(TargetNormalization(model.normalize, mean, scale, name="elman_normalization"))
    columns(c.past, "elman_past")
    columns(c.future, "elman_future")
    columns(tuple(n for n in c.static if n not in words), "elman_static")
    for index, name in enumerate(n for n in c.static if n in words):
        size, first = embedding_size(len(words[name])), seed + 7 + index
        made.append(VocabularyEmbedding(words[name], size, seed=first, name=f"elman_words_{index}"))
    made += lookback_layers(spec, roles, frequency)
    if shared and width > 1:
        made.append(TargetsToBatch(name=BY_TARGET))
        made.append(BatchToTargets(width, name="elman_batch_to_targets"))
    for index, units in enumerate(model.units):
        made.append(
            recurrent_layer(
                model.cell,
                units,
                activation=model.activation,
                return_sequences=index < len(model.units) - 1,
                dropout=model.dropout,
                recurrent_dropout=model.recurrent_dropout,
                seed=seed + _SEED_STRIDE * (index + 1),
                name=recurrent(index),
                bidirectional=model.bidirectional,
            )
        )
    values = 1 if shared else width
    made.append(DirectHead(spec.horizon, values, STEP_WIDTH, seed=seed + 101, name="elman_head"))
    if model.shortcut:
        made.append(Shortcut(spec.horizon, name=SHORTCUT))
    made.append(Denormalize(name="elman_natural_units"))
    return {layer.name: layer for layer in made}


def _inputs(
    spec: WindowSpec, roles: Roles, words: Mapping[str, tuple[str, ...]]
) -> dict[str, Tensor]:
    inputs = {}
    for index, (column, (shape, dtype)) in enumerate(
        input_specs(spec, roles, frozenset(words)).items()
    ):
        plain = "/" not in column and not column.startswith("elman_")
        name = column if plain else f"elman_input_{index}"
        inputs[column] = keras.Input(shape=shape, dtype=dtype, name=name)
    return inputs


def _moments(
    names: tuple[str, ...], scaling: Scaling, model: ModelConfig
) -> tuple[list[float], list[float]]:
    mean, scale = [], []
    for name in names:
        if name == OBSERVED or model.normalize == "none":
            mean.append(0.0)
            scale.append(1.0)
        elif name in scaling.columns:
            mean.append(scaling[name].mean)
            scale.append(scaling[name].scale)
        else:
            raise BadInputError(
                f"column {name!r} has no train statistics; there are some for "
                f"{sorted(scaling.columns)}. A text column needs a vocabulary, and a number "
                "column a value in the train split"
            )
    return mean, scale


def _check_vocabularies(roles: Roles, words: Mapping[str, tuple[str, ...]]) -> None:
    for name, vocabulary in words.items():
        if name not in roles.covariates.static:
            raise BadInputError(
                f"there is a vocabulary for {name!r}, which is not a static covariate; static "
                f"covariates are {list(roles.covariates.static)}"
            )
        if not vocabulary or len(set(vocabulary)) != len(vocabulary) or "" in vocabulary:
            raise BadInputError(
                f"the vocabulary of {name!r} must be distinct words that are not empty, "
                f"got {list(vocabulary)[:20]}"
            )
