"""ETTh1 with fused layers and with Keras' own: the same results but for noise?

    python -m benchmarks.etth1_seeds [--seeds 7 8 9]

Runs `examples/etth1_ot.yaml` and `examples/etth1_all.yaml` with the real command's own code, once
for each seed and each of `train.execution.layers: auto` and `keras`, every run in a workspace of
its own, and prints MSE and MAE of the network on z-scored test values. Writes
`benchmarks/out/etth1_seeds.json`, and exits with 1 where the means over seeds of the two kinds lie
further apart than the seeds of Keras' layers do.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from pipeline.config import loads
from pipeline.runner.run import run_pipeline

HERE = Path(__file__).resolve().parent
OUT = HERE / "out" / "etth1_seeds.json"
EXAMPLES = ("etth1_ot", "etth1_all")
LAYERS = ("auto", "keras")
METRICS = ("mse_scaled", "mae_scaled")


def measure(name: str, layers: str, seed: int, folder: Path) -> dict[str, float]:
    """The network's test metrics by one run."""
    path = HERE.parent / "examples" / f"{name}.yaml"
    document = yaml.safe_load(path.read_text())
    document["workspace"] = str(folder / f"{name}_{layers}_{seed}")
    document["train"] |= {"seed": seed, "execution": {"layers": layers}}
    result = run_pipeline(loads(yaml.safe_dump(document), path=path))
    found = result.models["candidate"]
    return {metric: found[metric] for metric in METRICS}


def main() -> None:
    """Prints the table, writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    seeds = parser.parse_args().seeds
    if len(seeds) < 2:
        parser.error("the noise is that between seeds: give at least two")
    found: dict[str, dict[str, dict[int, dict[str, float]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in EXAMPLES:
            found[name] = {layers: {} for layers in LAYERS}
            for seed in seeds:
                for layers in LAYERS:
                    found[name][layers][seed] = measure(name, layers, seed, Path(folder))
    table = Table("example", "metric", "fused, mean (range)", "Keras, mean (range)", "apart", "met")
    held = True
    for name, by_layers in found.items():
        for metric in METRICS:
            ours, theirs = (
                [values[metric] for values in by_layers[layers].values()] for layers in LAYERS
            )
            apart = abs(statistics.mean(ours) - statistics.mean(theirs))
            met = apart <= max(theirs) - min(theirs)
            held &= met
            cells = (
                f"{statistics.mean(x):.4f} ({min(x):.4f} to {max(x):.4f})" for x in (ours, theirs)
            )
            table.add_row(name, metric, *cells, f"{apart:.5f}", "met" if met else "MISSED")
    Console(width=120).print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
