"""`build_forecaster`: the network of a forecast task, raw values in, raw values out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from models.cells.registry import recurrent_layer
from models.errors import BadInputError
from models.features.calendar import Calendar
from models.features.normalization import Columns, Denormalize, TargetNormalization
from models.features.scaling import Scaling
from models.features.vocabulary import VocabularyEmbedding, embedding_size
from models.heads.direct import DirectHead
from models.heads.shortcut import Shortcut
from models.network.config import ModelConfig
from models.network.inputs import TIME, input_specs
from models.network.plumbing import (
    AtEveryStep,
    BatchToTargets,
    OneTarget,
    RepeatForTargets,
    Steps,
    TargetsToBatch,
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
    inputs = _inputs(spec, roles, words)
    c = roles.covariates
    mean, scale = _moments(roles.targets, scaling, model)
    columns = Columns([0.0] * len(mean), [1.0] * len(mean), name="elman_targets")
    normalised, anchor, spread = TargetNormalization(
        model.normalize, mean, scale, name="elman_normalization"
    )(columns([inputs[t] for t in roles.targets]))

    def scaled(names: tuple[str, ...], label: str) -> list[Tensor]:
        if not names:
            return []
        m, s = _moments(names, scaling, model)
        return [Columns(m, s, name=f"elman_{label}")([inputs[n] for n in names])]

    future = scaled(c.future, "future")
    if c.calendar:
        calendar = Calendar(c.calendar, frequency, spec.lookback, spec.reach, name="elman_calendar")
        future.append(calendar(inputs[TIME]))
    static = scaled(tuple(n for n in c.static if n not in words), "static")
    for index, name in enumerate(n for n in c.static if n in words):
        vocabulary = VocabularyEmbedding(
            words[name],
            embedding_size(len(words[name])),
            seed=seed + 7 + index,
            name=f"elman_words_{index}",
        )
        static.append(vocabulary(inputs[name]))

    steps = scaled(c.past, "past")
    steps += [Steps(0, spec.lookback, name=f"elman_seen_{i}")(f) for i, f in enumerate(future)]
    first_label = spec.lookback + spec.gap
    ahead = _joined(
        [
            Steps(first_label, first_label + spec.horizon, name=f"elman_ahead_{i}")(f)
            for i, f in enumerate(future)
        ],
        "elman_horizon",
    )
    context = _joined(static, "elman_context")
    if context is not None:
        steps.append(AtEveryStep(spec.lookback, name="elman_context_steps")(context))

    shared, width = model.channels == "shared", len(roles.targets)
    if shared and width > 1:

        def repeated(values: Tensor | None, label: str) -> Tensor | None:
            if values is None:
                return None
            return RepeatForTargets(width, name=f"elman_{label}_for_targets")(values)

        normalised = TargetsToBatch(name="elman_targets_to_batch")(normalised)
        steps = [repeated(s, f"steps_{i}") for i, s in enumerate(steps)]
        ahead = repeated(ahead, "horizon")
        context = repeated(context, "context")

    state = _encode(_joined([normalised, *steps], "elman_steps"), model, seed)
    read = _joined([state] if context is None else [state, context], "elman_state")
    head = DirectHead(
        spec.horizon,
        1 if shared else width,
        STEP_WIDTH,
        seed=seed + 101,
        name="elman_head",
    )
    forecast = head(read) if ahead is None else head(read, ahead)
    if model.shortcut:
        straight = Shortcut(spec.horizon, name="elman_shortcut")(normalised)
        forecast = keras.layers.Add(dtype="float32", name="elman_with_shortcut")(
            [forecast, straight]
        )
    if shared and width > 1:
        forecast = BatchToTargets(width, name="elman_batch_to_targets")(forecast)
    natural = Denormalize(name="elman_natural_units")(forecast, anchor, spread)
    outputs = {
        t: OneTarget(i, name=f"elman_output_{i}")(natural) for i, t in enumerate(roles.targets)
    }
    with warnings.catch_warnings():
        # The keys are the columns; an input layer may not be able to bear its column's name.
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        return keras.Model(inputs, outputs, name="elman_forecaster")


def _encode(steps: Tensor, model: ModelConfig, seed: int) -> Tensor:
    for index, units in enumerate(model.units):
        steps = recurrent_layer(
            model.cell,
            units,
            activation=model.activation,
            return_sequences=index < len(model.units) - 1,
            dropout=model.dropout,
            recurrent_dropout=model.recurrent_dropout,
            seed=seed + _SEED_STRIDE * (index + 1),
            name=f"elman_recurrent_{index}",
            bidirectional=model.bidirectional,
        )(steps)
    return steps


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


def _joined(parts: Iterable[Tensor], name: str) -> Tensor | None:
    present = list(parts)
    if len(present) > 1:
        return keras.layers.Concatenate(axis=-1, dtype="float32", name=name)(present)
    return present[0] if present else None


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
