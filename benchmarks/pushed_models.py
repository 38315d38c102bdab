"""Does every task end in a model that answers raw values where Elman is not?

    python -m benchmarks.pushed_models

Runs the example of each task by `elman run`, takes the version that is live then, and asks it in a
fresh, isolated process in which Elman cannot be imported: strings or numbers in, as a client has
them, labels, probabilities or forecasts out. The data has to be in `examples/data`, see the
examples. Runs that were done before are re-used, as `elman run` re-uses them.

Writes `benchmarks/out/pushed_models.json`, and exits with 1 if a run pushes nothing and nothing is
live, or a model does not answer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table

OUT = Path(__file__).parent / "out" / "pushed_models.json"
EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = ("vowels", "sst2", "atis", "reber", "embedded_reber", "adding_problem", "taylor", "taxi")
ALONE = """
import json, sys

class Nothing:  # Elman is installed beside TensorFlow: here it is not to be found
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("components", "models", "pipeline", "serving", "tfx"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nothing())
import numpy as np, tensorflow as tf
signature = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
specs = signature.structured_input_signature[1]
given = json.load(sys.stdin)
answer = signature(**{name: tf.constant(given[name], spec.dtype) for name, spec in specs.items()})
def plain(value):
    value = value.numpy()
    return np.vectorize(bytes.decode, otypes=[object])(value) if value.dtype == object else value
print(json.dumps({name: plain(value).tolist() for name, value in answer.items()}))
"""
_SHOWN = 6


def ran(path: Path) -> dict[str, Any]:
    """What `elman run` says."""
    command = [str(Path(sys.executable).parent / "elman"), "run", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{path.name}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def raw_input(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One raw input: the last window of a series, or the last sequence of the test data."""
    data = config["data"]
    path = data["path"]["test"] if isinstance(data["path"], dict) else data["path"]
    table = pd.read_csv(folder / path, keep_default_na=False)
    if config.get("task", "forecast") == "forecast":
        rows = table.tail(config["window"]["lookback"])
        columns = [*config["targets"], *config.get("covariates", {}).get("past", [])]
        origin = pd.Timestamp(rows[data["time"]].iloc[-1], tz="UTC")
        given: dict[str, Any] = {c: [rows[c].astype(float).tolist()] for c in columns}
        return {**given, "time": [int(origin.timestamp())]}
    inputs = config["inputs"]
    if "text" in inputs:
        return {inputs["text"]: [table[inputs["text"]].iloc[-1]]}
    ids = table[data["sequence"]]
    rows = table[ids == ids.iloc[-1]]
    columns = [*inputs.get("symbols", []), *inputs.get("numbers", [])]
    return {**{c: [rows[c].tolist()] for c in columns}, "length": [len(rows)]}


def asked(model: Path, given: dict[str, Any]) -> dict[str, Any]:
    """What a SavedModel answers in a process that cannot see Elman."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(model)],
        cwd="/",
        env={"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{model}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def words(answer: dict[str, Any]) -> str:
    """An answer for a table: the labels, or the first steps of the forecast."""
    if "label" in answer:
        first = answer["label"][0]
        return first if isinstance(first, str) else " ".join(first[:_SHOWN])
    [values] = next(iter(answer.values()))
    return ", ".join(f"{value:.4g}" for value in values[:_SHOWN])


def main() -> None:
    """Prints the table, writes the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    table = Table("example", "task", "serves", "metric", "value", "version", "answers", "seconds")
    found = {}
    for name in parser.parse_args().only:
        path = EXAMPLES / f"{name}.yaml"
        config = yaml.safe_load(path.read_text())
        result = ran(path)
        if result["live"] is None:
            raise SystemExit(f"{name}: nothing is live: {result['summary']}")
        model = Path(result["push"]["directory"])
        model = model if model.name == str(result["live"]) else model / str(result["live"])
        answer = asked(model, raw_input(config, path.parent))
        winner = result["winner"] or "the champion"
        value = result["models"].get(result["winner"] or "champion", {}).get(result["metric"])
        cells = (winner, result["metric"], f"{value:.4g}" if value is not None else "")
        task = config.get("task", "forecast")
        seconds = f"{result['seconds']:.0f}"
        table.add_row(name, task, *cells, str(result["live"]), words(answer), seconds)
        found[name] = {"run": result, "answer": answer}
        print(f"{name}: {result['summary']} -> {words(answer)}", flush=True)
    Console(width=160).print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
