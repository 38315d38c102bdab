"""The configuration of the simulated pipeline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.quarter.feed import COLUMN, HISTORY, PATH

NAME = "load"
CRON = "0 3 * * *"


def write_config(folder: Path, tracking: str) -> Path:
    """Writes `load.yaml`.

    Args:
        folder: Where the data arrives and the workspace will be.
        tracking: Address of the tracking server.
    """
    hook = f"import sys; open({str(folder / 'told.jsonl')!r}, 'a').write(sys.stdin.read() + '\\n')"
    config: dict[str, Any] = {
        "name": NAME,
        "workspace": "work",
        "data": {
            "path": PATH,
            "time": "time",
            "frequency": "h",
            "gaps": {"max": 3},
            "spans": {"keep": HISTORY, "on_blocked": "skip"},
        },
        "task": "forecast",
        "targets": [COLUMN],
        "covariates": {"calendar": ["hour_of_day", "day_of_week"]},
        "split": {"by": "time", "validation": 192, "test": 168},
        "window": {"lookback": 96, "horizon": 24, "stride": 2},
        "model": {"cell": "gru", "units": [16], "normalize": "window", "shortcut": True},
        "train": {
            "epochs": 30,
            "batch_size": 32,
            "learning_rate": 0.003,
            "loss": "mae",
            "patience": 5,
            "warm_start": True,
            "gradient_flow": {"every": 0},
        },
        "baselines": {"names": ["naive", "seasonal_naive"], "season": 24},
        "gate": {"metric": "mae", "beats": ["seasonal_naive"]},
        "drift": {
            "data": {"action": "warn"},
            "concept": {"action": "retrain", "threshold": 1.25},
            "retrain_every": 7,
        },
        "schedule": {"cron": CRON, "catch_up": "last"},
        "tracking": {"uri": tracking},
        "notify": {"command": {"run": [sys.executable, "-c", hook]}},
    }
    path = folder / f"{NAME}.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path
