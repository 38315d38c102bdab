"""Which networks can read a series one step at a time. Needs no TensorFlow."""

from __future__ import annotations

from models.network.config import ModelConfig


def streaming_refusal(model: ModelConfig) -> str | None:
    """Why a network of this shape cannot carry its state from step to step; None if it can.

    A causal network whose normalisation is made of constants can: what it says at a step depends
    on that step and on a state of fixed size.
    """
    if model.bidirectional:
        return (
            "model.bidirectional is true, and the backward direction starts at the end of the "
            "window: every new step would change everything read before. Streaming needs "
            "bidirectional: false"
        )
    if model.normalize == "window":
        return (
            "model.normalize is window, which subtracts the last value of the window and divides "
            "by its spread: every new step would change all steps read before. Streaming needs "
            "normalize: standard or none"
        )
    return None
