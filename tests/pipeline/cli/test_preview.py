"""What `elman check` says about training."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli.preview import preview
from pipeline.config import loads

CONFIG = """
name: a
data: {path: d.csv, time: t, series: id, frequency: h}
targets: [y]
window: {lookback: 5, horizon: 2}
split: {train: 70, validation: 15, test: 15}
train: {batch_size: 8, bptt: BPTT}
"""


@pytest.mark.parametrize(
    ("bptt", "size", "chunk", "steps"),
    [
        # 2 x (70 - 5 + 1 - 2) windows
        ("full", 8, None, 16),
        # 2 streams of 70 - 2 steps, side by side
        ("{truncated: 10}", 2, 10, 7),
    ],
)
def test_the_steps_of_an_epoch(
    tmp_path: Path, bptt: str, size: int, chunk: int | None, steps: int
) -> None:
    time = pd.date_range("2020-01-01", periods=100, freq="h")
    rows = [pd.DataFrame({"t": time, "id": name, "y": range(100)}) for name in "ab"]
    pd.concat(rows).to_csv(tmp_path / "d.csv", index=False)
    found = preview(loads(CONFIG.replace("BPTT", bptt), path=tmp_path / "a.yaml"))
    assert (found.batch_size, found.chunk, found.steps_per_epoch) == (size, chunk, steps)
    assert found.windows["train"] == 2 * (70 - 5 + 1 - 2)
