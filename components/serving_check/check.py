"""Whether an exported model answers real requests in a fresh process without our code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.serving_check import engine_probe, probe, sequence_probe
from models.errors import FailedRunError

TIMEOUT = 600.0
_TAIL = 2000


@dataclass(frozen=True)
class CheckReport:
    """What the fresh process found.

    Attributes:
        passed: Whether every check passed.
        max_error: Largest difference to the training process, as a share of the target's scale;
            None if nothing could be compared.
        checks: Each `{"name", "passed", "detail"}`, in order.
    """

    passed: bool
    max_error: float | None
    checks: tuple[dict[str, Any], ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """Name and detail of each check that failed."""
        return tuple(f"{c['name']}: {c['detail']}" for c in self.checks if not c["passed"])

    def to_json(self) -> str:
        """For `check.json`."""
        return json.dumps({**asdict(self), "failures": self.failures}, indent=1) + "\n"


def check_serving(
    model: Path, verification: Path, *, python: str = sys.executable, timeout: float = TIMEOUT
) -> CheckReport:
    """Loads `model` on the CPU of a fresh process and compares its answers with `verification`.

    The process runs isolated (`-I`: no environment, no user packages, no current directory) from a
    temporary folder, refuses to import Elman even where it is installed, and sees no GPU. Raw
    values go through both signatures of windows or sequences, one at a time and all at once, and
    step by step through the streaming signatures where the model has them; what samples symbols
    has to give the same ones for the same seeds. Where there is a file for another engine, that
    engine has to answer as the SavedModel does.

    Args:
        model: A SavedModel folder.
        verification: What `models.export.verification.write_verification` wrote, or for sequences
            `models.sequences.export.verification.write_sequence_verification`.
        python: The interpreter.
        timeout: Seconds until the process is given up.

    Raises:
        FailedRunError: If a file is missing, or the process did not start or finish. A model that
            does not load or gives other values is a report that did not pass.
    """
    for path in (model, verification):
        if not path.exists():
            raise FailedRunError(f"serving check: {path} is missing; run train again")
    with tempfile.TemporaryDirectory(prefix="elman-serving-check-") as name:
        folder = Path(name)
        script, result = folder / "probe.py", folder / "result.json"
        for module in (probe, sequence_probe, engine_probe):
            shutil.copy(Path(str(module.__file__)), folder)
        command = [python, "-I", str(script), str(model.resolve()), str(verification.resolve())]
        hidden = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        try:
            done = subprocess.run(
                [*command, str(result)],
                cwd=folder,
                env={**os.environ, **hidden},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except OSError as error:
            raise FailedRunError(f"serving check: {python} does not start: {error}") from error
        except subprocess.TimeoutExpired as error:
            raise FailedRunError(
                f"serving check: the fresh process did not finish in {timeout:g} s; the machine "
                "is overloaded, or the model does not return"
            ) from error
        if done.returncode != 0 or not result.exists():
            raise FailedRunError(
                f"serving check: the fresh process ended with code {done.returncode} before it "
                f"could judge the model. Its last words:\n{done.stderr[-_TAIL:]}"
            )
        found = json.loads(result.read_text())
    checks = tuple(found["checks"])
    return CheckReport(all(c["passed"] for c in checks), found["max_error"], checks)
