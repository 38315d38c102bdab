"""The pipeline that is killed: a short hourly series, a tiny network, every model blessed.

Its configuration holds secrets wherever one may stand: in the URL of the data, in the address and a
header of the webhook. Nothing listens there, so that every run has something to say about it.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path

NAME = "chaos"
STEPS = 500
CANARIES = {
    "CHAOS_DATA_TOKEN": "canary-of-the-data-4711",
    "CHAOS_HOOK": "T0CANARY/B0/hook4712",
    "CHAOS_HEADER_TOKEN": "canary+of the header=4713",
    "MLFLOW_TRACKING_PASSWORD": "canary-of-mlflow-4714",
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-store-4715",
}
"""Environment variables of a run; none of the values may be found in anything it writes."""
CONFIG = """\
name: {name}
workspace: work
data:
  url: sqlite:///file:{folder}/data.db?mode=ro&uri=true&token=${{CHAOS_DATA_TOKEN}}
  table: {table}
  time: time
  frequency: h
targets: [y]
window: {{lookback: 12, horizon: 2}}
model: {{cell: simple_rnn, units: [4]}}
train: {{epochs: 3, batch_size: 64, seed: 7}}
baselines: {{names: [naive]}}
gate: {{beats: [], champion: false}}
serving: {{keep: 3}}
notify:
  webhook:
    url: http://127.0.0.1:9/services/${{CHAOS_HOOK}}
    headers: {{Authorization: "Bearer ${{CHAOS_HEADER_TOKEN}}"}}
    timeout: 2
    retries: 0
"""


def plant() -> None:
    """Puts the secrets into the environment of this process and its children."""
    os.environ.update(CANARIES)


def canaries(folder: Path) -> Iterator[str]:
    """Files below `folder` that hold a secret."""
    secrets = [value.encode() for value in CANARIES.values()]
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            yield from (
                f"{file.relative_to(folder)} holds {secret!r}"
                for secret in secrets
                if secret in content
            )


def write_config(folder: Path, table: str = "readings") -> Path:
    """Writes the configuration; returns its file."""
    path = folder / f"{NAME}.yaml"
    path.write_text(CONFIG.format(name=NAME, folder=folder, table=table))
    return path


def write_data(folder: Path, more: int) -> None:
    """Writes the series, `more` steps longer than at first, in one step."""
    noise, start = random.Random(7), datetime(2024, 1, 1, tzinfo=UTC)
    rows = []
    for step in range(STEPS + more):
        moment = start + timedelta(hours=step)
        rows.append((f"{moment:%Y-%m-%d %H:%M}", 10 + 3 * sin(step / 4) + noise.gauss(0, 0.5)))
    with closing(sqlite3.connect(folder / "data.db")) as database, database:
        database.execute("create table if not exists readings (time text, y real)")
        database.execute("delete from readings")
        database.executemany("insert into readings values (?, ?)", rows)
