"""What the store builder says about itself to whoever tracks the run."""

from __future__ import annotations

from components.sequences.store.report import SequencesReport
from components.tracking.recorder import current


def record(report: SequencesReport) -> None:
    """Records counts, and warns of what no model can learn."""
    recorder = current()
    recorder.metrics(report.metrics())
    recorder.data(report.model_dump(mode="json"), "sequences.json")
    total = sum(report.unseen.values())
    if total:
        where = ", ".join(f"{split} {n}" for split, n in report.unseen.items() if n)
        names = ", ".join(map(repr, report.unseen_labels))
        recorder.warn(
            f"{total} labels are not in the train split ({where}): {names}; every model is wrong "
            "about them"
        )
    left_out = sum(report.dropped.values())
    if left_out:
        recorder.warn(
            f"{left_out} sequences have one symbol and none that follows it; they are left out"
        )
