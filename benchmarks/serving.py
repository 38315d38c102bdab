"""What a server adds to a model, and what batching gives back.

    python -m benchmarks.serving

The network of `examples/co2.yaml` behind the embedded server, on the loopback, asked by 1, 8 and 32
clients at once over gRPC and REST, with batching on and off in turns (A B A B). Every figure is a
ratio to calling the same SavedModel directly in one process at batch 1, measured between the
rounds. Clients run on the same cores as the server.

Writes `benchmarks/out/serving.json`. Only the ratios mean anything on another machine.
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

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from benchmarks.load import co2, requests
from benchmarks.load.server import Server, serving

OUT = Path(__file__).parent / "out" / "serving.json"
CLIENTS = (1, 8, 32)
PROTOCOLS = ("grpc", "rest")
BATCHING = "batch_timeout_micros { value: 20000 }"
"""A busy server gathers for up to 20 ms; one that has nothing to do starts at once."""


def direct(folder: Path, feed: dict[str, Any], seconds: float) -> dict[str, float]:
    """Calls the SavedModel in this process, a window at a time."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["serving_default"]
    count = len(feed["time"])
    rows = [{k: tf.constant(v[i : i + 1]) for k, v in feed.items()} for i in range(count)]
    for row in rows:
        signature(**row)
    taken = []
    end = time.perf_counter() + seconds
    while (before := time.perf_counter()) < end:
        signature(**rows[len(taken) % count])["co2"].numpy()
        taken.append(time.perf_counter() - before)
    return summary(taken, seconds)


def summary(latencies: list[float], seconds: float) -> dict[str, float]:
    """Requests per second, and quantiles of the latency in seconds."""
    if len(latencies) < 2:
        raise RuntimeError(f"only {len(latencies)} answers in {seconds} s")
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return {"rate": len(latencies) / seconds, "p50": cuts[49], "p99": cuts[98]}


def load(
    server: Server, protocol: str, clients: int, files: list[Path], seconds: float
) -> dict[str, float]:
    """Runs the clients in a process of their own."""
    address = server.grpc if protocol == "grpc" else server.rest
    command = [sys.executable, "-m", "benchmarks.load.clients", protocol, address, "co2"]
    command += [str(clients), str(seconds), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-4000:])
    found = json.loads(done.stdout)
    if found["failed"]:
        raise RuntimeError(f"{found['failed']} requests failed: {found['errors']}")
    return summary(found["latencies"], seconds)


def measure(rounds: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Everything, `rounds` times; medians."""
    base = folder / "models"
    model = co2.export(base / "1", seed=7)
    feed = co2.windows(64)
    files = requests.write(folder / "requests", "co2", feed)
    parameters = folder / "batching.config"
    parameters.write_text(BATCHING)
    on = ("--enable_batching=true", f"--batching_parameters_file={parameters}")
    seen: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for batching, flags in (("on", on), ("off", ("--enable_batching=false",))):
            seen.setdefault("direct", []).append(direct(model, feed, seconds))
            with serving(base, "co2", folder, *flags) as server:
                for protocol in PROTOCOLS:
                    for clients in CLIENTS:
                        found = load(server, protocol, clients, files[protocol], seconds)
                        seen.setdefault(f"{protocol} {clients} {batching}", []).append(found)
                        print(f"{protocol} {clients:2} batching {batching}: {found}", flush=True)
    medians = {
        key: {name: statistics.median(s[name] for s in runs) for name in runs[0]}
        for key, runs in seen.items()
    }
    base_line = medians["direct"]
    ratios = {
        key: {
            name: value / base_line[name if name == "rate" else "p50"] for name, value in m.items()
        }
        for key, m in medians.items()
    }
    gain = {p: medians[f"{p} 32 on"]["rate"] / medians[f"{p} 32 off"]["rate"] for p in PROTOCOLS}
    return {"medians": medians, "ratios_to_direct": ratios, "batching_gain_at_32": gain}


def main() -> None:
    """Measures, prints a table, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="elman-serving-") as name:
        found = measure(given.rounds, given.seconds, Path(name))
    one = found["medians"]["direct"]
    print(f"\ndirect, batch 1: {one['rate']:.0f} calls/s, p50 {1e3 * one['p50']:.2f} ms = 1")
    print(f"{'':22}{'requests/s':>12}{'p50':>8}{'p99':>8}   (times direct)")
    for key, r in found["ratios_to_direct"].items():
        if key != "direct":
            print(f"{key:22}{r['rate']:12.2f}{r['p50']:8.2f}{r['p99']:8.2f}")
    for protocol, gain in found["batching_gain_at_32"].items():
        print(
            f"batching on at 32 clients, {protocol}: {gain:.2f} times the requests of off (goal 2)"
        )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
