"""What every worker is told on its command line. Needs the standard library alone."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.cells.work import Call, Work, call_of, training_work


def parser() -> argparse.ArgumentParser:
    """`--work` (the JSON of a work or a call), `--folder` (its data) and `--device`."""
    made = argparse.ArgumentParser()
    made.add_argument("--work", type=json.loads, required=True)
    made.add_argument("--folder", type=Path, required=True)
    made.add_argument("--device", choices=("cpu", "gpu"), required=True)
    return made


def work_of(given: Any) -> Work:
    """The training work asked for."""
    return training_work(given.work)


def called(given: Any) -> Call:
    """The call asked for."""
    return call_of(given.work)
