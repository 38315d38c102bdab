"""What do the networks of the examples reach on real sequences, beside what is simple?

    python -m benchmarks.sequence_tasks

Trains `examples/vowels.yaml`, `sst2.yaml` and `atis.yaml` from several seeds by the functions that
the pipeline calls, and scores them and every baseline on the published test sequences; published
figures for the vowels are .949 (dynamic time warping) and .984 to .989 (causal convolutions). Where
the network does not beat a baseline that its gate names, the gate of that run would refuse it: the
table says from how many seeds. The data has to be in `examples/data`, see the examples.

Writes `benchmarks/out/sequence_tasks.json`, and exits with 1 if a mean misses its threshold.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from benchmarks.forecasts import Table
from benchmarks.sequences import SequenceBench
from benchmarks.spread import Threshold, arguments, publish
from models.training.gradient_flow.config import GradientFlowConfig

OUT = Path(__file__).parent / "out" / "sequence_tasks.json"
ASKED = {"vowels": 0.97, "sst2": 0.80, "atis": 0.96}
"""By task, the least mean accuracy on the test sequences."""
METRICS = {"accuracy": 4, "macro_f1": 4, "log_loss": 4, "seconds": 0}
"""By metric, the digits printed."""


def measure(name: str, seeds: Sequence[int], quick: bool) -> tuple[Table, str, tuple[str, ...]]:
    """All models of one example, the name of its network, and the baselines its gate names."""
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        bench = SequenceBench.of(name, Path(folder))
        config = bench.config
        table.add(bench.baselines(), seeded="")
        scored = tuple(table.figures)
        network = f"{'Bi' if config.model.bidirectional else ''}{config.model.cell.upper()}"
        same: dict[str, Any] = {"gradient_flow": GradientFlowConfig(every=0)}
        if quick:
            same |= {"epochs": 2, "patience": None}
        for seed in seeds:
            train = config.train.model_copy(update={**same, "seed": seed})
            _, found = bench.train(config.model, train)
            table.add({network: found}, seeded=network)
            print(f"{name}, {network}, seed {seed}: {found}", flush=True)
    return table, network, config.gate.beats_of(scored)


def main() -> None:
    """Prints the table, writes the JSON."""
    given = arguments(__doc__)
    rows: list[list[str]] = []
    content, thresholds, verdicts = {}, [], []
    for name in given.only or ASKED:
        table, network, beats = measure(name, given.seeds, given.quick)
        accuracy = table.spread(network, "accuracy")
        thresholds.append(Threshold(f"{name}, accuracy", accuracy, "at least", ASKED[name]))
        rivals = {rival: table.spread(rival, "accuracy").mean for rival in beats}
        best = max(rivals, key=lambda rival: rivals[rival])
        if name == "atis":
            bound = rivals["most_frequent_tag"]
            thresholds.append(Threshold(f"{name}, above the baseline", accuracy, "above", bound))
        won = sum(value > rivals[best] for value in accuracy.values)
        verdicts.append(
            f"{name}: better than {best} ({rivals[best]:.4f}) from {won} of "
            f"{len(accuracy.values)} seeds; from the others the gate refuses the network and "
            f"blesses the best baseline"
        )
        for model in sorted(table.figures, key=lambda m: -table.spread(m, "accuracy").mean):
            cells = [table.spread(model, metric).text(d) for metric, d in METRICS.items()]
            rows.append([name, model, *cells])
        rows.append([])
        content[name] = {"models": table.json(), "network": network, "verdict": verdicts[-1]}
    title = f"test sequences; mean (range) over seeds {list(given.seeds)}"
    out = None if given.quick else OUT
    met = publish(title, ("task", "model", *METRICS), rows, thresholds, content, out)
    print("\n".join(verdicts))
    sys.exit(not met)


if __name__ == "__main__":
    main()
