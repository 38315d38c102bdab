"""Which sides a work is done by, and how each is set up: a recipe is named in every row."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from benchmarks.cells.work import Call, Work

CORES = len(os.sched_getaffinity(0))
NO_MMAP = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
}
"""glibc then never gives memory back to the kernel, so that no page of it faults in twice. A raised
mmap threshold alone would not do: glibc takes none above 32 MiB, and a batch has larger arrays."""


@dataclass(frozen=True)
class Recipe:
    """How a side does its work.

    Attributes:
        name: In tables and JSON; unique within a work.
        words: What is special, in words.
        module: Of `benchmarks.cells.sides`, run as a program.
        python: Whose interpreter: the project's, or that of PyTorch's own environment.
        arguments: To the module, before those that all have.
        environment: Variables set.
    """

    name: str
    words: str
    module: str
    python: Literal["own", "torch"] = "own"
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


_THREADS = ("--intra-op", "1", "--inter-op", str(CORES))
_LOOP = "the training command's own loop: input pipeline, validation of one batch, checkpoint"
_BARE = "the same compiled step on batches in memory: no input pipeline, validation, checkpoint"

KERAS = Recipe(
    "Keras", "model.compile(jit_compile='auto'), model.fit, keras.layers as they come", "keras_fit"
)


def _elman(name: str, words: str, *loop: str, **environment: str) -> Recipe:
    set_ = "".join(f"; {k}={v}" for k, v in environment.items())
    threads = f"; intra_op 1, inter_op {CORES}"
    arguments = (*loop, *_THREADS)
    return Recipe(name, words + threads + set_, "elman_training", "own", arguments, environment)


ELMAN = _elman("Elman", _LOOP, "--loop")
ELMAN_BARE = _elman("Elman, bare step", _BARE)
ELMAN_BFC = _elman("Elman, BFC", _LOOP, "--loop", TF_CPU_ALLOCATOR_USE_BFC="1")
ALWAYS = ("--compiled", "always")
"""Where lengths are open: programs of XLA for every length that batches are padded to."""


def _always(recipe: Recipe) -> Recipe:
    words = f"{recipe.words}; compiled: always"
    return replace(recipe, words=words, arguments=(*recipe.arguments, *ALWAYS))


ELMAN_GPU = Recipe("Elman", _LOOP, "elman_training", arguments=("--loop",))
ELMAN_GPU_BARE = Recipe("Elman, bare step", _BARE, "elman_training")


def _torch(name: str, words: str, variant: str) -> tuple[Recipe, Recipe]:
    arguments = ("--variant", variant)
    return (
        Recipe(name, f"eager, {words}, as it comes", "torch_training", "torch", arguments),
        Recipe(
            f"{name}, malloc",
            f"eager, {words}; glibc keeps its memory ({' '.join(NO_MMAP)})",
            "torch_training",
            "torch",
            arguments,
            NO_MMAP,
        ),
    )


TORCH, TORCH_MALLOC = _torch("PyTorch", "nn.LSTM, nn.GRU or nn.RNN", "plain")
PACKED, PACKED_MALLOC = _torch("PyTorch packed", "pack_padded_sequence", "packed")
GATHER, GATHER_MALLOC = _torch("PyTorch gather", "two layers, reversed by gather", "gather")

KERAS_CALL = Recipe("Keras export", "model.export, its signature from Python", "keras_call")
ELMAN_CALL = Recipe("Elman export", "export_forecaster, its signature from Python", "elman_call")
ELMAN_ONNX = Recipe(
    "Elman ONNX",
    "the export's model.onnx by serving.runtimes, a thread for each core",
    "elman_engine_call",
    arguments=("--engine", "onnx"),
)
ELMAN_LITERT = Recipe(
    "Elman LiteRT",
    "the export's step.tflite by serving.runtimes",
    "elman_engine_call",
    arguments=("--engine", "litert"),
)
ONNX_CALL = Recipe(
    "ONNX Runtime",
    "the same network written with onnx.helper, the session as it comes",
    "onnx_call",
    "torch",
)
TORCH_CALL = Recipe("PyTorch", "eager, inference_mode, as it comes", "torch_call", "torch")


def training_sides(work: Work, device: str) -> tuple[Recipe, ...]:
    """Who does a training work."""
    if device == "gpu":
        torch = (PACKED, GATHER) if work.masked else (TORCH,)
        return (KERAS, ELMAN_GPU, ELMAN_GPU_BARE, *torch)
    ours = (ELMAN, ELMAN_BARE, ELMAN_BFC)
    if work.masked:
        ours = tuple(_always(recipe) for recipe in ours)
        return (KERAS, *ours, PACKED, PACKED_MALLOC, GATHER, GATHER_MALLOC)
    return (KERAS, *ours, TORCH, TORCH_MALLOC)


def call_sides(call: Call) -> tuple[Recipe, ...]:
    """Who answers calls. Keras has no signature that carries a state."""
    if call.carried:
        return (ELMAN_CALL, ELMAN_LITERT, TORCH_CALL, ONNX_CALL)
    return (KERAS_CALL, ELMAN_CALL, ELMAN_ONNX, TORCH_CALL, ONNX_CALL)
