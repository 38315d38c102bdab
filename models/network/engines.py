"""Which networks an engine beside TensorFlow can run. Needs no TensorFlow."""

from __future__ import annotations

from models.export.engines import EngineName
from models.network.config import ModelConfig
from models.network.streaming import streaming_refusal


def engine_refusal(engine: EngineName, model: ModelConfig) -> str | None:
    """Why `engine` has nothing to run of a network of this shape; None if it has.

    ONNX Runtime runs every forecaster. LiteRT runs steps of streams, which some networks lack.
    """
    reason = streaming_refusal(model) if engine == "litert" else None
    if reason is None:
        return None
    return (
        f"which runs single steps of streams, but this model cannot be read step by step: {reason};"
        " or write serving.engine: onnx, which runs whole windows"
    )
