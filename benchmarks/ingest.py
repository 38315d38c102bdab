"""From a CSV to validated Examples: Elman's nodes against TFX's, side by side in one run.

Both sides end with StatisticsGen, SchemaGen and ExampleValidator on the same file; only the first
node differs: ours parses, checks, sorts, looks for duplicates and splits by time, TFX's
CsvExampleGen parses and splits by hash. Each measurement is a process of its own that has
imported TFX before the clock starts. Sides take turns, A B A B, and the median counts.

Run: python -m benchmarks.ingest [--rows 1000000] [--small 100000] [--rounds 2]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "out"
SIDES = ("elman", "tfx")
COLUMNS = 7
BEAM = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]


def write_csv(path: Path, rows: int) -> None:
    """A time column and seven numbers."""
    import duckdb

    values = ", ".join(f"round(random() * 100 + {i}, 4) AS v{i}" for i in range(COLUMNS))
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.5)").fetchall()
        connection.execute(
            f"COPY (SELECT TIMESTAMP '2000-01-01' + to_minutes(i) AS time, {values} "
            f"FROM range({rows}) t(i)) TO '{path}' (HEADER)"
        ).fetchall()


def nodes_of(side: str, folder: Path) -> list[Any]:
    """The four nodes of one side over `folder/data/data.csv`."""
    if side == "elman":
        from components.ingest.component import example_gen
        from components.ingest.config import DataConfig, SplitConfig
        from components.validation.component import (
            example_validator,
            schema_gen,
            statistics_gen,
        )
        from models.roles import Roles

        ingest = example_gen(
            DataConfig(path="data/data.csv", time="time", frequency="min"),
            SplitConfig(),
            Roles(targets=tuple(f"v{i}" for i in range(COLUMNS))),
            folder,
        )
        stats = statistics_gen(ingest.outputs["examples"])
        schema = schema_gen(stats.outputs["statistics"], folder / "c.schema.pbtxt")
        validate = example_validator(stats.outputs["statistics"], schema.outputs["schema"])
        return [ingest, stats, schema, validate]
    from tfx.components import CsvExampleGen, ExampleValidator, SchemaGen, StatisticsGen

    csv = CsvExampleGen(input_base=str(folder / "data"))
    statistics_node = StatisticsGen(examples=csv.outputs["examples"])
    inferred = SchemaGen(statistics=statistics_node.outputs["statistics"])
    check = ExampleValidator(
        statistics=statistics_node.outputs["statistics"], schema=inferred.outputs["schema"]
    )
    return [csv, statistics_node, inferred, check]


def measure(side: str, folder: Path) -> None:
    """Runs one side once and prints its seconds; imports are not counted."""
    from tfx.components import CsvExampleGen  # noqa: F401 - both sides pay for the same imports
    from tfx.orchestration import metadata, pipeline
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    if side == "elman":
        import components.validation.component  # noqa: F401

    import duckdb  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    started = time.perf_counter()
    nodes = nodes_of(side, folder)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        LocalDagRunner().run(
            pipeline.Pipeline(
                "bench",
                f"{work}/artifacts",
                components=nodes,
                enable_cache=False,
                metadata_connection_config=metadata.sqlite_metadata_connection_config(
                    f"{work}/metadata.db"
                ),
                beam_pipeline_args=BEAM,
            )
        )
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds}), flush=True)
    os._exit(0)


def one(side: str, folder: Path) -> float:
    """Seconds of one measurement in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest", "--measure", side, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""},
    )
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stderr[-4000:]}")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["seconds"])


def main() -> None:
    """Measures, prints the table, writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--measure", nargs=2, metavar=("SIDE", "FOLDER"))
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure[0], Path(arguments.measure[1]))
    sizes = (arguments.small, arguments.rows)
    taken: dict[str, dict[int, list[float]]] = {s: {n: [] for n in sizes} for s in SIDES}
    with tempfile.TemporaryDirectory(prefix="elman-bench-") as root:
        for rows in sizes:
            folder = Path(root) / str(rows)
            (folder / "data").mkdir(parents=True)
            write_csv(folder / "data" / "data.csv", rows)
            for _ in range(arguments.rounds):
                for side in SIDES:
                    seconds = one(side, folder)
                    taken[side][rows].append(seconds)
                    print(f"{side:>6} {rows:>9,} rows: {seconds:8.2f} s", flush=True)
    report(taken, sizes)


def report(taken: dict[str, dict[int, list[float]]], sizes: tuple[int, int]) -> None:
    """The table and `benchmarks/out/ingest.json`; the claims are checked last."""
    small, large = sizes
    median = {s: {n: statistics.median(t) for n, t in by.items()} for s, by in taken.items()}
    further = {s: (m[large] - m[small]) / (large - small) for s, m in median.items()}
    faster = median["tfx"][large] / median["elman"][large]
    # More rows in less time is noise of a busy machine, not a result.
    measured = min(further.values()) > 0
    cheaper = further["tfx"] / further["elman"] if measured else None
    heads = (f"{small:,} rows", f"{large:,} rows")
    print(f"\n{'':>8}{heads[0]:>16}{heads[1]:>18}{'rows/s':>12}{'us/further row':>17}")
    for side in SIDES:
        m = median[side]
        print(
            f"{side:>8}{m[small]:>14.2f} s{m[large]:>16.2f} s{large / m[large]:>12,.0f}"
            f"{further[side] * 1e6:>17.2f}"
        )
    print(f"\nfaster: {faster:.1f} times (at least 10 wanted)")
    words = "not measured: too much noise" if cheaper is None else f"{cheaper:.1f} times"
    print(f"each further row cheaper: {words} (at least 20 wanted)")
    OUT.mkdir(exist_ok=True)
    (OUT / "ingest.json").write_text(
        json.dumps(
            {
                "seconds": {s: {str(n): t for n, t in by.items()} for s, by in taken.items()},
                "faster": faster,
                "further_row_cheaper": cheaper,
                "columns": COLUMNS + 1,
                "cores": os.cpu_count(),
            },
            indent=1,
        )
        + "\n"
    )
    if faster < 10 or cheaper is None or cheaper < 20:
        raise SystemExit("the claim does not hold in this run")


if __name__ == "__main__":
    main()
