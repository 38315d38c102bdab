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
from components.tracking.recorder import Recorder
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
        moved: By target (by number column of sequences), how far the new train split is from the
            champion's: `shift` of the mean in the champion's standard deviations, and `ratio` of
            the standard deviations.
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


@dataclass(frozen=True)
class Vectors:
    """The words that the rows of a weight belong to.

    Attributes:
        column: In which the words stand.
        old: The champion's words, from row `fixed` on.
        new: Those of the new training.
        fixed: Rows before the first word.
    """

    column: str
    old: Sequence[str]
    new: Sequence[str]
    fixed: int = 1


def record_start(recorder: Recorder, start: WarmStart) -> None:
    """Records how a training began: a tag, how far the data has moved, and a warning if cold."""
    recorder.tags({"elman.train.start": start.words})
    recorder.metrics(
        {
            f"warm_start_{name}_{column}": value
            for column, values in start.moved.items()
            for name, value in values.items()
        }
    )
    if start.version and not start.warm:
        recorder.warn(f"cold start: {start.reason}")


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
            words = _vectors(network, columns, about.get(VOCABULARIES, {}), vocabularies)
            why = assign(network, found, words)
    except (BadInputError, OSError) as error:
        why = str(error)
    if why:
        return WarmStart(version, digest, f"version {version} does not fit: {why}")
    return WarmStart(version, digest, moved=moved(about.get("moments", {}), scaling))


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


def assign(network: Any, found: list[npt.NDArray[Any]], vectors: Mapping[int, Vectors]) -> str:
    """Puts arrays into the weights of a network, all of them or none.

    Args:
        network: A Keras model.
        found: In the order of its weights.
        vectors: By id of a weight that holds a vector for each word, its words.

    Returns:
        Why the arrays do not fit; empty if they do, and are in the network.
    """
    weights = list(network.weights)
    if len(found) != len(weights):
        return f"it has {len(found)} arrays of weights, here there are {len(weights)}"
    values = []
    for weight, array in zip(weights, found, strict=True):
        words, shape = vectors.get(id(weight)), tuple(weight.shape)
        if words is not None and array.shape[1:] == shape[1:]:
            array = moved_rows(array, words.old, weight.numpy(), words.new, words.fixed)
        if array.shape != shape:
            at = (
                f"the vectors of the words of {words.column}" if words else f"weights {weight.path}"
            )
            return f"{at} have the shape {array.shape}, here it is {shape}"
        values.append(array)
    for weight, array in zip(weights, values, strict=True):
        weight.assign(array)
    return ""


def _vectors(network: Any, columns: Sequence[str], old: Words, new: Words) -> dict[int, Vectors]:
    found = {}
    for index, column in enumerate(columns):
        weight = network.get_layer(f"elman_words_{index}").embedding.embeddings
        found[id(weight)] = Vectors(column, old.get(column, ()), new[column])
    return found


def moved_rows(
    found: npt.NDArray[Any],
    old: Sequence[str],
    fresh: npt.NDArray[Any],
    new: Sequence[str],
    fixed: int = 1,
) -> npt.NDArray[Any]:
    """Rows of `found` where their words stand now; of `fresh` for words that are new.

    Args:
        found: [fixed + words of `old`, size].
        old: Words of `found`, from row `fixed` on.
        fresh: [fixed + words of `new`, size].
        new: Words of the result, from row `fixed` on.
        fixed: Rows before the first word, such as that of an unknown word; they stay where they
            are.
    """
    at = {word: row for row, word in enumerate(old, start=fixed)}
    rows = np.array(fresh)
    rows[:fixed] = found[:fixed]
    for row, word in enumerate(new, start=fixed):
        if word in at:
            rows[row] = found[at[word]]
    return rows


def moved(before: Mapping[str, Any], scaling: Scaling) -> dict[str, dict[str, float]]:
    """By column of `before`, the champion's moments, how far the new train split is from them."""
    found = {}
    for target, moments in before.items():
        if target in scaling.columns:
            now, scale = scaling[target], moments["std"] or 1.0
            shift = (now.mean - moments["mean"]) / scale
            found[target] = {"shift": shift, "ratio": now.scale / scale}
    return found
