"""The serving check on artifact folders: files in, files out."""

from __future__ import annotations

from pathlib import Path

from components.serving_check.check import CheckReport, check_serving
from components.tracking.recorder import current

BLESSED = "INFRA_BLESSED"
NOT_BLESSED = "INFRA_NOT_BLESSED"
REPORT = "check.json"


def check_artifact(saved_model: Path, verification: Path, output: Path) -> CheckReport:
    """Checks a model and writes `check.json` and then TFX's marker file into `output`.

    Args:
        saved_model: The SavedModel folder of the Model artifact.
        verification: Its `verification.npz`.
        output: Folder of the InfraBlessing artifact.

    Raises:
        FailedRunError: If the model could not be judged; then there is no marker.
    """
    recorder = current()
    report = check_serving(saved_model, verification)
    output.mkdir(parents=True, exist_ok=True)
    for marker in (BLESSED, NOT_BLESSED):
        (output / marker).unlink(missing_ok=True)
    (output / REPORT).write_text(report.to_json())
    if report.max_error is not None:
        recorder.metrics({"serving_check_max_error": report.max_error})
    recorder.tags({"infra_blessed": str(report.passed).lower()})
    recorder.file(output / REPORT)
    for failure in report.failures:
        recorder.warn(f"serving check failed: {failure}")
    (output / (BLESSED if report.passed else NOT_BLESSED)).write_text("")
    return report
