"""Which cells remember? Reber grammars with their machine as judge, and the adding problem.

    python -m benchmarks.long_memory

Reber: the Elman network of `examples/reber.yaml`. Embedded Reber: LSTM, GRU and the Elman network
with the other settings of `examples/embedded_reber.yaml`. Test strings are none of the train
strings. A step is legal if the most probable symbol may follow, and complete if all symbols that
may follow are more probable than all that may not, the measure of Hochreiter and Schmidhuber
(1997). A string is remembered if the most probable symbol before its second-last one is the one
that the second symbol demands. A run counts as solved if at least 99.9% of steps are legal and
every string is remembered.

Adding problem: `examples/adding_problem.yaml` with each of the three cells; the mean squared error
on blocks that were not trained on. Who always says 1 has 1/6.

Writes `benchmarks/out/long_memory.json`, and exits with 1 if a threshold is missed.
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

import numpy as np

from benchmarks.forecasts import ForecastBench, Table
from benchmarks.sequences import SequenceBench
from benchmarks.spread import Threshold, arguments, publish
from examples.grammars.judge import Verdict, judge
from examples.grammars.machine import Machine
from examples.grammars.reber import EMBEDDED_REBER, REBER
from models.training.gradient_flow.config import GradientFlowConfig

OUT = Path(__file__).parent / "out" / "long_memory.json"
GRAMMARS: dict[str, tuple[Machine, tuple[str, ...]]] = {
    "reber": (REBER, ("simple_rnn",)),
    "embedded_reber": (EMBEDDED_REBER, ("lstm", "gru", "simple_rnn")),
}
ADDING = "adding_problem"
ADDING_CELLS = ("lstm", "gru", "simple_rnn")
SHOULD = ("lstm", "gru")
"""Cells that are asked to remember; the Elman network is reported beside them."""
LEGAL = 0.999
SHARES = ("legal", "complete", "remembered")
CONSTANT = 1 / 6


def judged(core: Any, bench: SequenceBench, machine: Machine) -> Verdict:
    """What the grammar says of the network's probabilities for the test strings."""
    import tensorflow as tf

    view = bench.store.view("test")
    column = bench.store.spec.inputs.tokens[0]
    symbols = bench.store.symbols[column]
    codes, offsets = bench.store.codes[column], bench.store.offsets
    strings, probabilities = [], []
    for part in view.parts(256):
        batch = part.batch()
        logits = core(
            tf.constant(batch.numbers),
            (tf.constant(batch.tokens[column]),),
            tf.constant(batch.length),
        )
        given = tf.nn.softmax(logits).numpy()
        for row, steps, index in zip(given, batch.length, part.index, strict=True):
            whole = np.asarray(codes[offsets[index] : offsets[index + 1]])
            strings.append("".join(symbols[code] for code in whole))
            probabilities.append(row[:steps])
    return judge(machine, strings, probabilities, bench.store.classes)


def grammar(name: str, seeds: Sequence[int], quick: bool) -> Table:
    """Every cell on the strings of one grammar."""
    machine, cells = GRAMMARS[name]
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        bench = SequenceBench.of(name, Path(folder))
        for cell in cells:
            model = bench.config.model.model_copy(update={"cell": cell})
            for seed in seeds:
                train = bench.config.train.model_copy(update=_same(seed, quick))
                core, found = bench.train(model, train)
                verdict = judged(core, bench, machine)
                found |= {"legal": verdict.legal_share, "complete": verdict.complete_share}
                if machine is EMBEDDED_REBER:  # in the plain grammar, two symbols back are enough
                    found["remembered"] = verdict.remembered_share
                solved = verdict.legal_share >= LEGAL and found.get("remembered", 1) == 1
                found["solved"] = float(solved)
                table.add({cell: found}, seeded=cell)
                print(f"{name}, {cell}, seed {seed}: {found}", flush=True)
    return table


def adding(seeds: Sequence[int], quick: bool) -> Table:
    """Every cell on the adding problem."""
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        bench = ForecastBench.of(ADDING, Path(folder))
        for cell in ADDING_CELLS:
            model = bench.config.model.model_copy(update={"cell": cell})
            for seed in seeds:
                train = bench.config.train.model_copy(update=_same(seed, quick))
                found = bench.train(cell, model, train)
                table.add(found, seeded=cell)
                print(f"{ADDING}, {cell}, seed {seed}: {found[cell]}", flush=True)
    return table


def main() -> None:
    """Prints the tables, writes the JSON."""
    given = arguments(__doc__)
    wanted = given.only or (*GRAMMARS, ADDING)
    rows: list[list[str]] = []
    content: dict[str, Any] = {}
    thresholds: list[Threshold] = []
    for name in wanted:
        if name == ADDING:
            table = adding(given.seeds, given.quick)
            for model in table.figures:
                mse = table.spread(model, "mse")
                rows.append([name, model, f"MSE {mse.text()}", "", "", ""])
                if model in SHOULD:
                    what = f"{name}, {model}, MSE"
                    thresholds.append(Threshold(what, mse, "below", CONSTANT / 10))
        else:
            table = grammar(name, given.seeds, given.quick)
            for model in table.figures:
                known = table.figures[model]
                spreads = {m: table.spread(model, m) for m in SHARES if m in known}
                cells = [spreads[m].text() if m in spreads else "" for m in SHARES]
                solved = table.spread(model, "solved")
                count = f"{int(sum(solved.values))} of {len(solved.values)}"
                rows.append([name, model, *cells, count])
                if model in SHOULD or name == "reber":
                    what = f"{name}, {model}"
                    thresholds += [
                        Threshold(f"{what}, legal steps", spreads["legal"], "at least", LEGAL),
                        Threshold(f"{what}, runs solved", solved, "at least", 1.0),
                    ]
        rows.append([])
        content[name] = table.json()
    header = ("task", "cell", "legal steps", "complete steps", "strings remembered", "runs solved")
    title = f"strings and blocks not trained on; mean (range) over seeds {list(given.seeds)}"
    out = None if given.quick else OUT
    sys.exit(not publish(title, header, rows, thresholds, content, out))


def _same(seed: int, quick: bool) -> dict[str, Any]:
    same: dict[str, Any] = {"seed": seed, "gradient_flow": GradientFlowConfig(every=0)}
    return {**same, "epochs": 2, "patience": None} if quick else same


if __name__ == "__main__":
    main()
