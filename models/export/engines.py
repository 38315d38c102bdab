"""Files for other engines beside a SavedModel, and what keeps a model from having one.

Needs no TensorFlow.
"""

from __future__ import annotations

import importlib.util
from typing import Literal

from models.errors import BadInputError

EngineName = Literal["tensorflow", "onnx", "litert"]
ONNX_FILE = "model.onnx"
ONNX_OUTPUT = "forecast."
"""Before the name of an output of the signature: in ONNX it may not be that of an input."""
STEP_FILE = "step.tflite"
_PACKAGES: dict[EngineName, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxruntime"),
    "litert": ("ai_edge_litert",),
}
FILES: dict[EngineName, str] = {"onnx": ONNX_FILE, "litert": STEP_FILE}
"""By engine, the file that it runs."""


def require_packages(engine: EngineName) -> None:
    """Refuses an engine whose packages are not installed.

    Raises:
        BadInputError: If one is missing; names the extra that brings it.
    """
    for package in _PACKAGES.get(engine, ()):
        if importlib.util.find_spec(package) is None:
            raise BadInputError(
                f"serving.engine: {engine} needs the package {package.replace('_', '-')}, which "
                f"is not installed; install elman with its extra: pip install 'elman[{engine}]'"
            )
