"""Warm start of a network over whole sequences; see `components.train.warm_start`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.backtest.champion import Champion
from components.train.warm_start import (
    NO_WEIGHT,
    VOCABULARIES,
    Vectors,
    WarmStart,
    assign,
    moved,
)
from models.errors import BadInputError
from models.export.metadata import read_metadata
from models.features.scaling import Scaling
from models.sequences.config import SequenceModelConfig
from models.sequences.store import SequenceStore

FIRST_SYMBOL = 2
"""Rows before the vectors of symbols: padding, and an unknown symbol."""


def begin_sequences(
    network: Any,
    champion: Champion | None,
    store: SequenceStore,
    model: SequenceModelConfig,
    scaling: Scaling,
) -> WarmStart:
    """Puts the champion's weights into `network` where they fit, all of them or none.

    Symbols that the champion knew keep their vectors, wherever they now stand in the vocabulary;
    new ones keep the vectors they have in `network`. Classes have to be the same.

    Args:
        network: As `build_sequence_network` made it, untrained.
        champion: The live model; None if there is none.
        store: What the network is to be trained on.
        model: Shape of the network.
        scaling: Moments of the new train split.

    Returns:
        What was done; a champion that does not fit is told, never raised.
    """
    if champion is None:
        return WarmStart(reason="there is no champion yet")
    version, digest = champion.version, champion.digest
    try:
        about = read_metadata(champion.path)
        why = obstacle(about, store, model)
        if not why:
            from models.export.weights import read_weights

            vectors = _vectors(network, store, about[VOCABULARIES])
            why = assign(network, read_weights(champion.path), vectors)
    except (BadInputError, OSError) as error:
        why = str(error)
    if why:
        return WarmStart(version, digest, f"version {version} does not fit: {why}")
    return WarmStart(version, digest, moved=moved(about.get("moments", {}), scaling))


def obstacle(about: Mapping[str, Any], store: SequenceStore, model: SequenceModelConfig) -> str:
    """Why weights of the model that `about` describes have another meaning here; else empty.

    Args:
        about: The champion's elman.json.
        store: Columns, classes and symbols of the new training.
        model: Its network.
    """
    if about.get("baseline"):
        return f"it is the baseline {about['baseline']}, which has no weights of a network"
    if about.get("task") != store.spec.task:
        return f"it is a model of the task {about.get('task')}, here it is {store.spec.task}"
    mine = _meaning(store.spec.model_dump(mode="json"), model.model_dump(mode="json"))
    theirs = _meaning(about.get("spec", {}), about.get("model", {}))
    for key in sorted({*mine, *theirs}):
        if mine.get(key) != theirs.get(key):
            return f"its {key} is {theirs.get(key)}, here it is {mine.get(key)}"
    if VOCABULARIES not in about:
        return (
            "it does not say which symbols its vectors belong to, as models do that were trained "
            "with train.warm_start"
        )
    old, new = list(about.get("classes", [])), list(store.classes)
    if old != new:
        gone, added = sorted({*old} - {*new})[:5], sorted({*new} - {*old})[:5]
        return f"its classes are others: only it has {gone}, only the new data has {added}"
    return ""


def _meaning(spec: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """By dotted key, all that the shape and the meaning of weights depend on."""
    kept = {f"model.{key}": value for key, value in model.items() if key not in NO_WEIGHT}
    return {**spec, **kept}


def _vectors(
    network: Any, store: SequenceStore, old: Mapping[str, list[str]]
) -> dict[int, Vectors]:
    found = {}
    for index, column in enumerate(store.spec.inputs.tokens):
        weight = network.get_layer(f"elman_symbols_{index}").embeddings
        here = store.vocabularies[column][: weight.shape[0] - FIRST_SYMBOL]
        words = Vectors(column, old.get(column, ()), here, FIRST_SYMBOL)
        found[id(weight)] = words
    return found
