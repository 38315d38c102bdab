"""Is there a GPU that both TensorFlow and PyTorch see?"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

ASKED = {
    "own": (
        "TensorFlow",
        "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))",
        "its CUDA libraries come with: .venv/bin/uv pip install 'tensorflow[and-cuda]' at the "
        "locked version",
    ),
    "torch": (
        "PyTorch",
        "import torch; print(torch.cuda.device_count())",
        "a build for CPUs alone, such as 2.13.0+cpu, never sees one",
    ),
}


def missing(pythons: Mapping[str, Path]) -> list[str]:
    """Why a GPU cannot be measured, a sentence for each library that sees none."""
    reasons = []
    for key, (library, code, advice) in ASKED.items():
        done = subprocess.run(
            [str(pythons[key]), "-c", code], capture_output=True, text=True, check=False
        )
        words = done.stdout.split()
        if done.returncode or not words:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            reasons.append(f"{library} did not start: {last}")
        elif words[-1] == "0":
            reasons.append(f"{library} sees no GPU on this machine ({advice})")
    return reasons
