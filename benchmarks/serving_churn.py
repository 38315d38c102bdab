"""Whether a request is ever lost or answered wrongly while models come and go.

    python -m benchmarks.serving_churn

For a minute, clients over gRPC and REST keep the embedded server busy while every two seconds
a model is pushed or rolled back, as `elman run` and `elman rollback` do it. Each answer is compared
with what the model of the version that gave it says (REST does not name the version: with every
model). Goal: no failed request, no other answer.

Writes `benchmarks/out/serving_churn.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from benchmarks.load import clients, co2, requests
from benchmarks.load.churn import push
from benchmarks.load.server import serving
from components.push.repository import ModelRepository

OUT = Path(__file__).parent / "out" / "serving_churn.json"
MODELS = 4
TOLERANCE = 1e-3
"""ppm: far less than two models differ by, far more than batches of other sizes round."""


class Answers:
    """What each model says, and which versions said it."""

    def __init__(self, said: list[Any]) -> None:
        self.said = said
        self.seen: dict[int, int] = {}

    def grpc(self, window: int, answer: bytes) -> str | None:
        """What is wrong with a PredictResponse; None if nothing is."""
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        response = predict_pb2.PredictResponse.FromString(answer)
        version = response.model_spec.version.value
        self.seen[version] = self.seen.get(version, 0) + 1
        got = tf.make_ndarray(response.outputs["co2"])[0]
        if not self._same(got, (version - 1) % MODELS, window):
            return f"version {version} gave another model's answer"
        return None

    def rest(self, window: int, answer: bytes) -> str | None:
        """What is wrong with a JSON answer; None if nothing is."""
        got = np.asarray(json.loads(answer)["predictions"][0], np.float32)
        if not any(self._same(got, model, window) for model in range(MODELS)):
            return "the answer of no model"
        return None

    def _same(self, got: Any, model: int, window: int) -> bool:
        want = self.said[model][window]
        return got.shape == want.shape and bool(np.abs(got - want).max() < TOLERANCE)


@contextmanager
def changing(base: Path, models: list[Path], period: float) -> Iterator[list[dict[str, int]]]:
    """Pushes and rolls back while the block runs; the changes are in the list afterwards."""
    command = [sys.executable, "-m", "benchmarks.load.churn", str(base), str(period)]
    process = subprocess.Popen([*command, *map(str, models)], stdout=subprocess.PIPE, text=True)
    changes: list[dict[str, int]] = []
    try:
        yield changes
        process.terminate()
        words, _ = process.communicate(timeout=60)
        if process.returncode:
            raise RuntimeError("the pushes ended badly; their words are above")
        changes += [json.loads(line) for line in words.splitlines()]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


async def measure(seconds: float, period: float, per_protocol: int, folder: Path) -> dict[str, Any]:
    """The minute."""
    feed = co2.windows(32)
    models = [co2.export(folder / f"model-{i}", seed=i) for i in range(MODELS)]
    answers = Answers([co2.forecasts(m, feed) for m in models])
    files = requests.write(folder / "requests", "co2", feed)
    repository = ModelRepository(folder / "serving" / "co2")
    first = [push(repository, models) for _ in range(2)]
    with serving(repository.base, "co2", folder, "--enable_batching=true") as server:
        loads = [
            clients.run(
                lambda p=protocol, a=address: clients.connect(p, a, "co2"),
                [f.read_bytes() for f in files[protocol]],
                per_protocol,
                seconds,
                check,
            )
            for protocol, address, check in (
                ("grpc", server.grpc, answers.grpc),
                ("rest", server.rest, answers.rest),
            )
        ]
        with changing(repository.base, models, period) as changes:
            results = await asyncio.gather(*loads)
    pushed = {*first, *(c["pushed"] for c in changes if "pushed" in c)}
    return {
        "answers": {p: len(r["latencies"]) for p, r in zip(("grpc", "rest"), results, strict=True)},
        "failed_or_wrong": sum(r["failed"] for r in results),
        "errors": [e for r in results for e in r["errors"]],
        "pushes": sum("pushed" in c for c in changes),
        "rollbacks": sum("rolled_back" in c for c in changes),
        "versions_that_answered": sorted(answers.seen),
        "never_pushed": sorted(set(answers.seen) - pushed),
    }


def main() -> None:
    """Measures, prints, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--period", type=float, default=2.0)
    parser.add_argument("--clients", type=int, default=8, help="by protocol")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="elman-churn-") as name:
        found = asyncio.run(measure(given.seconds, given.period, given.clients, Path(name)))
    for key, value in found.items():
        print(f"{key:26}{value}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    if found["failed_or_wrong"] or found["never_pushed"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
