"""PyTorch's own virtual environment, for it is no dependency of the project.

The package index is that of pip on this machine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGES = ("torch==2.13.0", "numpy>=2,<3", "onnx>=1.19,<2", "onnxruntime>=1.22,<2")
MARK = "installed.txt"
"""Written last: an environment without it was never finished."""


def ensure(folder: Path) -> Path:
    """The interpreter of the environment in `folder`, which is made where it is missing.

    Raises:
        SystemExit: If it cannot be made, with pip's own words above.
    """
    python, mark = folder / "bin" / "python", folder / MARK
    wanted = "\n".join(PACKAGES) + "\n"
    if mark.is_file() and mark.read_text() == wanted:
        return python
    print(f"installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
    base = getattr(sys, "_base_executable", sys.executable)
    try:
        subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"PyTorch's environment {folder} could not be made: {error}. Name one that has "
            f"{', '.join(PACKAGES)} with --torch FOLDER (and write the four lines into its {MARK})"
        ) from error
    mark.write_text(wanted)
    return python
