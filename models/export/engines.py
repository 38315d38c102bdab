"""Files for other engines beside a SavedModel, and what keeps a model from having one.

Needs no TensorFlow.
"""

from __future__ import annotations

from typing import Literal

EngineName = Literal["tensorflow", "onnx", "litert"]
ONNX_FILE = "model.onnx"
ONNX_OUTPUT = "forecast."
"""Before the name of an output of the signature: in ONNX it may not be that of an input."""
STEP_FILE = "step.tflite"
FILES: dict[EngineName, str] = {"onnx": ONNX_FILE, "litert": STEP_FILE}
"""By engine, the file that it runs."""
