"""Warm start: a training that begins with the champion's weights.

Weights live in normalised units: the network reads and writes values minus the mean, over the
standard deviation, of the train split. The constants are those of the new train split, so at first
the network computes the champion's function of normalised values, not of natural ones. Where the
new data is as the old, that is the same thing; where its level or spread has moved, the forecasts
move with it, which is what a network that is trained anew would do as well. How far the targets
have moved is recorded. With `normalize: window` the targets bring their own level and spread along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from components.backtest.champion import Champion
from models.errors import BadInputError
from models.export.metadata import read_metadata, require_forecaster
from models.features.scaling import Scaling
from models.network.config import ModelConfig
from models.windows.store import SeriesStore

VOCABULARIES = "vocabularies"
"""Key of elman.json: by static text covariate, its words, whose vectors a warm start moves."""
NO_WEIGHT = ("dropout", "recurrent_dropout")
"""Keys of the model that change no shape and no meaning of a weight."""
Words = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class WarmStart:
    """Whether a training began with the champion's weights.

    Attributes:
        version: Of the champion in the serving directory; empty if there is none.
        digest: Of the champion.
        reason: Why the training began cold; empty if it began warm.
        moved: By target, how far the new train split is from the champion's: `shift` of the mean in
            the champion's standard deviations, and `ratio` of the standard deviations.
    """

    version: str = ""
    digest: str = ""
    reason: str = ""
    moved: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def warm(self) -> bool:
        """Whether it began with the champion's weights."""
        return not self.reason

    @property
    def words(self) -> str:
        """One line for people."""
        if self.warm:
            return f"warm, from version {self.version}"
        return f"cold: {self.reason}"

    def as_json(self) -> dict[str, Any]:
        """For `history.json` and `elman.json`."""
        return {
            "warm": self.warm,
            "version": self.version,
            "digest": self.digest,
            "reason": self.reason,
            "moved": {target: dict(values) for target, values in self.moved.items()},
        }


def begin(
    network: Any,
    champion: Champion | None,
    store: SeriesStore,
    model: ModelConfig,
    scaling: Scaling,
    vocabularies: Words,
) -> WarmStart:
    """Puts the champion's weights into `network` where they fit, all of them or none.

    Words that the champion knew keep their vectors, wherever they now stand in the vocabulary; new
    ones keep the vectors they have in `network`.

    Args:
        network: As `build_forecaster` made it, untrained.
        champion: The live model; None if there is none.
        store: What the network is to be trained on.
        model: Shape of the network.
        scaling: Moments of the new train split.
        vocabularies: Words of the network.

    Returns:
        What was done; a champion that does not fit is told, never raised.
    """
    if champion is None:
        return WarmStart(reason="there is no champion yet")
    version, digest = champion.version, champion.digest
    try:
        about = read_metadata(champion.path)
        why = obstacle(about, store, model, vocabularies)
        if not why:
            from models.export.weights import read_weights

            found = read_weights(champion.path)
            columns = [c for c in store.roles.covariates.static if c in vocabularies]
            why = _assign(network, found, columns, about.get(VOCABULARIES, {}), vocabularies)
    except (BadInputError, OSError) as error:
        why = str(error)
    if why:
        return WarmStart(version, digest, f"version {version} does not fit: {why}")
    return WarmStart(version, digest, moved=_moved(about.get("moments", {}), scaling))


def obstacle(
    about: Mapping[str, Any], store: SeriesStore, model: ModelConfig, vocabularies: Words
) -> str:
    """Why weights of the model that `about` describes have another meaning here; else empty.

    Args:
        about: The champion's elman.json.
        store: Columns, window and frequency of the new training.
        model: Its network.
        vocabularies: Its words.
    """
    try:
        require_forecaster(about, "it")
    except BadInputError as error:
        return str(error)
    if about.get("baseline"):
        return f"it is the baseline {about['baseline']}, which has no weights of a network"
    mine = _meaning(
        store.spec.model_dump(mode="json"),
        store.roles.model_dump(mode="json"),
        model.model_dump(mode="json"),
        store.frequency,
    )
    theirs = _meaning(
        about.get("spec", {}),
        about.get("roles", {}),
        about.get("model", {}),
        str(about.get("frequency", "")),
    )
    for key in sorted({*mine, *theirs}):
        if mine.get(key) != theirs.get(key):
            return f"its {key} is {theirs.get(key)}, here it is {mine.get(key)}"
    if vocabularies and VOCABULARIES not in about:
        return (
            "it does not say which words its vectors belong to, as models do that were trained "
            "with train.warm_start"
        )
    return ""


def _meaning(
    spec: Mapping[str, Any], roles: Mapping[str, Any], model: Mapping[str, Any], frequency: str
) -> dict[str, Any]:
    """By dotted key, all that the shape and the meaning of weights depend on."""
    found: dict[str, Any] = {"data.frequency": frequency, "targets": roles.get("targets")}
    found |= {f"covariates.{k}": v for k, v in dict(roles.get("covariates", {})).items()}
    found |= {f"model.{k}": v for k, v in model.items() if k not in NO_WEIGHT}
    found |= {f"window.{k}": spec.get(k) for k in ("horizon", "gap")}
    if model.get("shortcut"):  # the only weights that know where in the lookback they are
        found["window.lookback"] = spec.get("lookback")
    return found


def _assign(
    network: Any, found: list[npt.NDArray[Any]], columns: Sequence[str], old: Words, new: Words
) -> str:
    weights = list(network.weights)
    if len(found) != len(weights):
        return f"it has {len(found)} arrays of weights, here there are {len(weights)}"
    values = []
    words = _vectors(network, columns)
    for weight, array in zip(weights, found, strict=True):
        column = words.get(id(weight))
        if column is not None and array.shape[1:] == tuple(weight.shape)[1:]:
            array = moved_rows(array, old.get(column, ()), weight.numpy(), new[column])
        if array.shape != tuple(weight.shape):
            at = f"the vectors of the words of {column}" if column else f"weights {weight.path}"
            return f"{at} have the shape {array.shape}, here it is {tuple(weight.shape)}"
        values.append(array)
    for weight, array in zip(weights, values, strict=True):
        weight.assign(array)
    return ""


def _vectors(network: Any, columns: Sequence[str]) -> dict[int, str]:
    """By id of a variable of word vectors, the column that the words stand in."""
    layers = [network.get_layer(f"elman_words_{index}") for index in range(len(columns))]
    variables = (id(layer.embedding.embeddings) for layer in layers)
    return dict(zip(variables, columns, strict=True))


def moved_rows(
    found: npt.NDArray[Any], old: Sequence[str], fresh: npt.NDArray[Any], new: Sequence[str]
) -> npt.NDArray[Any]:
    """Rows of `found` where their words stand now; of `fresh` for words that are new.

    Args:
        found: [1 + words of `old`, size]; row 0 is that of an unknown word.
        old: Words of `found`, from row 1 on.
        fresh: [1 + words of `new`, size].
        new: Words of the result, from row 1 on.
    """
    at = {word: row for row, word in enumerate(old, start=1)}
    rows = np.array(fresh)
    rows[0] = found[0]
    for row, word in enumerate(new, start=1):
        if word in at:
            rows[row] = found[at[word]]
    return rows


def _moved(before: Mapping[str, Any], scaling: Scaling) -> dict[str, dict[str, float]]:
    found = {}
    for target, moments in before.items():
        if target in scaling.columns:
            now, scale = scaling[target], moments["std"] or 1.0
            shift = (now.mean - moments["mean"]) / scale
            found[target] = {"shift": shift, "ratio": now.scale / scale}
    return found
