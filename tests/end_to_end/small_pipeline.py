"""A small pipeline on the real CO2 record, for tests that run all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from statsmodels.datasets import co2

ROOT = Path(__file__).resolve().parents[2]


def write_data(folder: Path, *, value: Any = None) -> None:
    """Writes the weekly record from 1974 on; `value(table)` may change it first."""
    table = co2.load_pandas().data.loc["1974":]
    if value is not None:
        table = value(table.copy())
    table.to_csv(folder / "co2.csv", index_label="date", na_rep="", date_format="%Y-%m-%d")


def write_config(folder: Path, **changes: Any) -> Path:
    """Writes `co2.yaml`; `changes` replace whole sections or keys in dotted form."""
    config: dict[str, Any] = {
        "name": "co2",
        "workspace": "work",
        "data": {
            "path": "co2.csv",
            "time": "date",
            "frequency": "W-SAT",
            "gaps": {"max": 8, "fill": "linear"},
        },
        "task": "forecast",
        "targets": ["co2"],
        "covariates": {"calendar": ["week_of_year"]},
        "window": {"lookback": 52, "horizon": 8},
        "model": {"cell": "gru", "units": [8], "normalize": "window", "shortcut": True},
        "train": {"epochs": 3, "batch_size": 64, "learning_rate": 0.01, "seed": 7},
        "baselines": {"names": ["naive", "seasonal_naive"]},
        "gate": {"metric": "mae", "beats": ["seasonal_naive"]},
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            config.setdefault(section, {})[name] = value
        else:
            config[section] = value
    path = folder / "co2.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def elman(*arguments: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        **options,
    )


def environment() -> dict[str, str]:
    """The environment in which a child process finds the project's packages."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def versions(folder: Path) -> list[int]:
    """Versions that a model server would see."""
    base = folder / "work" / "serving" / "co2"
    return sorted(int(p.name) for p in base.glob("[0-9]*")) if base.exists() else []


def ledger(folder: Path) -> list[dict[str, Any]]:
    """The entries of runs.jsonl, oldest first."""
    lines = (folder / "work" / "runs.jsonl").read_text().split("\n")
    return [json.loads(line) for line in lines if line]
