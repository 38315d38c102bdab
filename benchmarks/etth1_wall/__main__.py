"""How long from ETTh1.csv to a trained, evaluated, saved model, beside plain PyTorch?

    python -m benchmarks.etth1_wall [--epochs 8] [--rounds 3]

All seven columns, 96 hours in, 24 ahead, an LSTM of 64 units with a linear map, Adam, clipping, a
fixed number of epochs, the validation after each, the weights of the best one, the scores on the
test windows, a saved model: by `elman run` with a workspace of its own each time, and by a plain
script with PyTorch's own Dataset and DataLoader. Whole processes in turns; wall time with and
without imports, and of training alone.

`elman run` does more, and that is in its time: statistics, a schema and its checks, a store of
windows, a baseline, a backtest by horizon, a gate, a SavedModel that a fresh process verifies, a
push, MLflow and ML Metadata. Writes `benchmarks/out/etth1_wall.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.cells import torch_environment
from benchmarks.cells.figures import Figure, times_faster
from benchmarks.cells.rounds import interleaved
from benchmarks.cells.side import ROOT, environment

OUT = ROOT / "benchmarks" / "out" / "etth1_wall.json"
DATA = ROOT.parent / "shared" / "data" / "ett" / "ETTh1.csv"
COLUMNS = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
UNITS = 64
PARTS = ("with imports", "without imports", "training alone")
TRAINING_NODE = "train"
"""Of `elman run`; it writes the SavedModel, too."""


def configuration(folder: Path, epochs: int, data: Path) -> dict[str, Any]:
    """What `elman run` is given: the least that a run can be asked for."""
    return {
        "name": "etth1_wall",
        "workspace": str(folder / "workspace"),
        "data": {"path": str(data), "time": "date", "frequency": "h"},
        "task": "forecast",
        "targets": COLUMNS,
        "split": {"by": "time", "train": 8640, "validation": 2880, "test": 2880},
        "window": {"lookback": 96, "horizon": 24},
        "model": {"cell": "lstm", "units": [UNITS], "normalize": "standard"},
        "train": {
            "epochs": epochs,
            "batch_size": 64,
            "learning_rate": 1e-3,
            "clip": {"global_norm": 1.0},
            "patience": None,
            "gradient_flow": {"every": 0},
        },
        "baselines": {"names": ["naive"]},
        # The network is saved whatever it is worth: PyTorch's script asks no more, either.
        "gate": {"metric": "mae_scaled", "beats": [], "bless": "model"},
    }


def seconds_of(answer: Mapping[str, Any], wall: float) -> dict[str, float]:
    """Wall time by part.

    Args:
        answer: What a run said of itself.
        wall: Seconds from its start to its end, as seen from outside.
    """
    own = answer["seconds"]
    training = own["nodes"][TRAINING_NODE] if "nodes" in own else own["training"]
    return dict(zip(PARTS, (wall, own["run"], training), strict=True))


def main() -> None:
    """Runs both in turns, prints the table, writes the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA, help="ETTh1.csv of ETDataset")
    parser.add_argument("--torch", type=Path, default=ROOT / ".torch", help="its environment")
    given = parser.parse_args()
    if not given.data.is_file():
        raise SystemExit(f"{given.data} is missing: name ETTh1.csv of ETDataset with --data")
    torch = torch_environment.ensure(given.torch.absolute())
    answers: dict[str, list[dict[str, Any]]] = {"Elman": [], "PyTorch": []}

    def turn(name: str) -> float:
        with tempfile.TemporaryDirectory() as folder:
            command = _command(name, Path(folder), torch, given)
            began = time.perf_counter()
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment(os.environ, {}, "cpu"),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            wall = time.perf_counter() - began
        answer = json.loads(done.stdout.splitlines()[-1])
        answers[name].append({**answer, "parts": seconds_of(answer, wall)})
        return wall

    interleaved(list(answers), given.rounds, turn)
    if answers["Elman"][0]["windows"] != answers["PyTorch"][0]["windows"]:
        raise SystemExit(f"not the same windows: {answers}")
    if not all(answer["pushed"] for answer in answers["Elman"]):
        raise SystemExit(f"a run pushed nothing: {answers['Elman']}")
    _publish(answers, given.epochs)


def _command(name: str, folder: Path, torch: Path, given: argparse.Namespace) -> list[str]:
    if name == "PyTorch":
        options = {"data": given.data.absolute(), "out": folder / "model.pt"}
        options |= {"epochs": given.epochs, "units": UNITS}
        words = [text for key, value in options.items() for text in (f"--{key}", str(value))]
        return [str(torch), "-m", "benchmarks.etth1_wall.plain_torch", *words]
    config = folder / "etth1_wall.yaml"
    config.write_text(yaml.safe_dump(configuration(folder, given.epochs, given.data.absolute())))
    return [sys.executable, "-m", "benchmarks.etth1_wall.elman_run", str(config)]


def _publish(answers: Mapping[str, list[dict[str, Any]]], epochs: int) -> None:
    figures = {
        name: {part: Figure.of([a["parts"][part] for a in found]) for part in PARTS}
        for name, found in answers.items()
    }
    ratios = {
        part: times_faster(figures["Elman"][part], figures["PyTorch"][part]) for part in PARTS
    }
    title = f"ETTh1, {epochs} epochs: times as fast as PyTorch, and seconds; median (range)"
    table = Table("wall time", "Elman, times as fast", "Elman, s", "PyTorch, s", title=title)
    for part in PARTS:
        times = [figures[name][part].text(1) for name in ("Elman", "PyTorch")]
        table.add_row(part, ratios[part].text(), *times)
    console = Console(width=120)
    console.print(table)
    for name, found in answers.items():
        scores = [f"{a['scores']['mse']:.4f} / {a['scores']['mae']:.4f}" for a in found]
        console.print(f"{name}: test MSE / MAE, scaled: {'; '.join(scores)}", highlight=False)
    OUT.parent.mkdir(exist_ok=True)
    content = {
        "epochs": epochs,
        "times_as_fast_as_pytorch": {part: ratio.json() for part, ratio in ratios.items()},
        "seconds": {n: {p: f.json() for p, f in parts.items()} for n, parts in figures.items()},
        "runs": answers,
    }
    OUT.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
