"""The pipeline that is killed: a short hourly series, a tiny network, every model blessed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path

NAME = "chaos"
STEPS = 500
CONFIG = f"""\
name: {NAME}
workspace: work
data: {{path: data.csv, time: time, frequency: h}}
targets: [y]
window: {{lookback: 12, horizon: 2}}
model: {{cell: simple_rnn, units: [4]}}
train: {{epochs: 3, batch_size: 64, seed: 7}}
baselines: {{names: [naive]}}
gate: {{beats: [], champion: false}}
serving: {{keep: 3}}
"""


def write_config(folder: Path) -> Path:
    """Writes the configuration; returns its file."""
    path = folder / f"{NAME}.yaml"
    path.write_text(CONFIG)
    return path


def write_data(folder: Path, more: int) -> None:
    """Writes the series, `more` steps longer than at first, in one step."""
    noise, start = random.Random(7), datetime(2024, 1, 1, tzinfo=UTC)
    lines = ["time,y"]
    for step in range(STEPS + more):
        value = 10 + 3 * sin(step / 4) + noise.gauss(0, 0.5)
        lines.append(f"{start + timedelta(hours=step):%Y-%m-%d %H:%M},{value:.4f}")
    temporary = folder / "data.csv.new"
    temporary.write_text("\n".join(lines) + "\n")
    temporary.replace(folder / "data.csv")
