"""`runtimes_of`: what runs a version's signatures beside TensorFlow, by the engine asked for."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from serving.runtimes import litert, onnx
from serving.runtimes.runtime import EngineName, Runtime

_PACKAGES: dict[EngineName, str] = {"onnx": "onnxruntime", "litert": "ai_edge_litert"}
_FILES: dict[EngineName, str] = {"onnx": onnx.FILE, "litert": litert.FILE}


def missing_package(engine: EngineName) -> str | None:
    """What to install before `engine` can run, in words; None if nothing is missing."""
    package = _PACKAGES.get(engine)
    if package is None or importlib.util.find_spec(package) is not None:
        return None
    return (
        f"the engine {engine} needs the package {package.replace('_', '-')}, which is not "
        f"installed; install elman with its extra: pip install 'elman[{engine}]'"
    )


def runtimes_of(engine: EngineName, folder: Path, threads: int = 1) -> dict[str, Runtime]:
    """By signature, what runs it in TensorFlow's place; empty if `folder` has no file for that.

    Args:
        engine: Which.
        folder: Of the version.
        threads: For the parts of large calls, where the engine can divide them.

    Raises:
        ImportError: If a package is missing; the message names the extra.
    """
    file = folder / _FILES[engine] if engine in _FILES else None
    if file is None or not file.is_file():
        return {}
    if problem := missing_package(engine):
        raise ImportError(problem)
    if engine == "onnx":
        return {onnx.SIGNATURE: onnx.OnnxRuntime(file, threads)}
    return {litert.SIGNATURE: litert.LiteRtRuntime(file)}
