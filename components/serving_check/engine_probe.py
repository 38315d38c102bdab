"""Runs beside probe.py: what other engines make of the files beside a SavedModel, and it of them.

Needs NumPy, TensorFlow, and the engine's own package, and nothing of ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ONNX_FILE, ONNX_PREFIX = "model.onnx", "forecast."
STEP_FILE = "step.tflite"
Arrays = dict[str, Any]
Found = tuple[str, str | None, Arrays, Arrays, Arrays]
"""What was run, why it did not run, its outputs, those of the SavedModel, and their scales."""


def probe_engines(
    folder: Path, signatures: Any, about: dict[str, Any], stored: Arrays
) -> Iterator[Found]:
    """Runs each engine whose file is in `folder`.

    Args:
        folder: Of the SavedModel.
        signatures: Of the loaded SavedModel.
        about: Its `elman.json`.
        stored: The arrays of `verification.npz`.
    """

    def part(prefix: str) -> Arrays:
        return {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}

    inputs, scale = part("input."), part("scale.")
    rows = len(next(iter(inputs.values())))
    if (folder / ONNX_FILE).is_file():
        for size in sorted({1, rows}):
            yield _tried(
                f"{ONNX_FILE}, batch {size}", _onnx, folder, signatures, inputs, size, scale
            )
    if (folder / STEP_FILE).is_file():
        times = stored.get("stream.time")
        for size in sorted({1, rows}):
            name = f"{STEP_FILE}, batch {size}"
            yield _tried(name, _litert, folder, signatures, about, inputs, times, size, scale)


def _tried(name: str, run: Any, *arguments: Any) -> Found:
    try:
        return (name, None, *run(*arguments))
    except Exception as error:
        return name, f"{type(error).__name__}: {error}"[:2000], {}, {}, {}


def _onnx(
    folder: Path, signatures: Any, inputs: Arrays, size: int, scale: Arrays
) -> tuple[Arrays, Arrays, Arrays]:
    import numpy as np
    import onnxruntime

    probe = importlib.import_module("probe")
    session = onnxruntime.InferenceSession(str(folder / ONNX_FILE))
    names = [each.name for each in session.get_outputs()]
    feeds = {k: v.astype(object) if v.dtype.kind == "U" else v for k, v in inputs.items()}
    rows = len(next(iter(inputs.values())))
    parts = [
        session.run(names, {k: v[start : start + size] for k, v in feeds.items()})
        for start in range(0, rows, size)
    ]
    got = {
        name.removeprefix(ONNX_PREFIX): np.concatenate([each[i] for each in parts])
        for i, name in enumerate(names)
    }
    return got, probe.answers(signatures["serving_default"], inputs, size), scale


def _litert(
    folder: Path,
    signatures: Any,
    about: dict[str, Any],
    inputs: Arrays,
    times: Any,
    size: int,
    scale: Arrays,
) -> tuple[Arrays, Arrays, Arrays]:
    """The outputs after the last step of the windows, the state carried by each engine itself."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    probe = importlib.import_module("probe")
    interpreter = Interpreter(model_path=str(folder / STEP_FILE))
    runner = interpreter.get_signature_runner()

    def step(**tensors: Any) -> dict[str, Any]:
        found = runner(**{name: value.numpy() for name, value in tensors.items()})
        return {name: tf.constant(value) for name, value in found.items()}

    some = {name: value[:size] for name, value in inputs.items()}
    when = None if times is None else times[:size]
    init = signatures["stream_init"]
    got = probe.streamed({"stream_init": init, "stream_step": step}, about, some, when)
    return got, probe.streamed(signatures, about, some, when), scale
