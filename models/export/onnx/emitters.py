"""Which emitter writes which layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from models.errors import BadInputError
from models.export.onnx import heads, plumbing, values
from models.export.onnx.graph import Graph
from models.export.onnx.recurrent import recurrent
from models.features.calendar import Calendar
from models.features.normalization import Columns, Denormalize, TargetNormalization
from models.features.vocabulary import VocabularyEmbedding
from models.heads.direct import DirectHead
from models.heads.shortcut import Shortcut
from models.network.plumbing import (
    AtEveryStep,
    BatchToTargets,
    ByTarget,
    RepeatForTargets,
    Steps,
    TargetsToBatch,
)

Emitter = Callable[[Graph, Any], Any]
"""Of a graph and a layer makes what is called like the layer, on values of the graph."""

_EMITTERS: dict[type, Emitter] = {
    Columns: values.columns,
    TargetNormalization: values.normalization,
    Denormalize: values.denormalize,
    Calendar: values.calendar,
    VocabularyEmbedding: values.words,
    Steps: plumbing.steps,
    AtEveryStep: plumbing.at_every_step,
    TargetsToBatch: plumbing.targets_to_batch,
    RepeatForTargets: plumbing.repeat_for_targets,
    BatchToTargets: plumbing.batch_to_targets,
    ByTarget: plumbing.by_target,
    keras.layers.Concatenate: plumbing.concatenate,
    keras.layers.Add: plumbing.add,
    keras.layers.RNN: recurrent,
    keras.layers.Bidirectional: recurrent,
    DirectHead: heads.direct_head,
    Shortcut: heads.shortcut,
}


def emitted(graph: Graph, layer: keras.Layer) -> Any:
    """What is called like `layer`, but writes into `graph`.

    Raises:
        BadInputError: If no emitter knows the layer, or the layer does what ONNX cannot.
    """
    for kind in type(layer).__mro__:
        if kind in _EMITTERS:
            return _EMITTERS[kind](graph, layer)
    raise BadInputError(
        f"the layer {layer.name!r} ({type(layer).__name__}) cannot be written as ONNX; use "
        "serving.engine: tensorflow"
    )
