"""`WindowsReport`: what the window stage made of the series."""

from __future__ import annotations

from models.section import Section


class WindowsReport(Section):
    """Counts of the window stage. A hole is a stretch of steps that miss some dynamic value.

    Attributes:
        windows: Windows by split (`train`, `validation`, `test`).
        series: Series in the data.
        empty_series: Series that have no step with every column observed, so no window.
        rows: Steps in all segments together.
        segments: Stretches without a hole longer than `gaps.max`.
        holes_filled: Holes filled inside segments.
        holes_splitting: Holes that split a series into two segments.
        filled_cells: Values filled, over all columns.
        longest_hole: Steps of the longest hole, filled or splitting; 0 without holes.
        trimmed_steps: Steps cut off the start and the end of series because values are missing.
        unused_rows: Rows after the end of the test split.
    """

    windows: dict[str, int]
    series: int
    empty_series: int
    rows: int
    segments: int
    holes_filled: int
    holes_splitting: int
    filled_cells: int
    longest_hole: int
    trimmed_steps: int
    unused_rows: int

    def metrics(self) -> dict[str, float]:
        """Every count as a metric, windows as `windows_<split>`."""
        counts = self.model_dump(exclude={"windows"})
        windows = {f"windows_{split}": n for split, n in self.windows.items()}
        return {name: float(n) for name, n in (windows | counts).items()}
