"""Whether a request is ever lost or answered wrongly while models come and go.

    python -m benchmarks.serving_churn

For a minute, clients over gRPC and REST keep the embedded server busy while every two seconds
a model is pushed or rolled back, as `elman run` and `elman rollback` do it. Each answer is compared
with what the model of the version that gave it says (REST does not name the version: with every
model pushed so far). Goal: no failed request, no other answer.

Writes `benchmarks/out/serving_churn.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from benchmarks.load import clients, co2, requests
from benchmarks.load.server import serving
from components.push.repository import ModelRepository

OUT = Path(__file__).parent / "out" / "serving_churn.json"
MODELS = 4
TOLERANCE = 1e-3
"""ppm: far less than two models differ by, far more than batches of other sizes round."""


class Answers:
    """What each pushed version should say, and what the versions said."""

    def __init__(self, said: list[Any]) -> None:
        self.said = said
        self.model_of: dict[int, int] = {}
        self.seen: dict[int, int] = {}

    def grpc(self, window: int, answer: bytes) -> str | None:
        """What is wrong with a PredictResponse; None if nothing is."""
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        response = predict_pb2.PredictResponse.FromString(answer)
        version = response.model_spec.version.value
        if version not in self.model_of:
            return f"version {version} was never pushed"
        self.seen[version] = self.seen.get(version, 0) + 1
        got = tf.make_ndarray(response.outputs["co2"])[0]
        if not self._same(got, self.model_of[version], window):
            return f"version {version} gave another model's answer"
        return None

    def rest(self, window: int, answer: bytes) -> str | None:
        """What is wrong with a JSON answer; None if nothing is."""
        got = np.asarray(json.loads(answer)["predictions"][0], np.float32)
        pushed = set(self.model_of.values())
        if not any(self._same(got, model, window) for model in pushed):
            return "the answer of no pushed version"
        return None

    def _same(self, got: Any, model: int, window: int) -> bool:
        want = self.said[model][window]
        return got.shape == want.shape and bool(np.abs(got - want).max() < TOLERANCE)


async def change(
    repository: ModelRepository, models: list[Path], answers: Answers, period: float, log: list[str]
) -> None:
    """Pushes and rolls back in turns, for ever."""
    numbers = itertools.cycle(range(len(models)))
    for turn in itertools.count():
        if turn % 2 or len(repository.versions()) < 2:
            await push(repository, models, next(numbers), answers, log)
        else:
            done = await asyncio.to_thread(repository.rollback)
            log.append(f"rolled back {done.removed}, live {done.live}")
        await asyncio.sleep(period)


async def push(
    repository: ModelRepository, models: list[Path], number: int, answers: Answers, log: list[str]
) -> None:
    """Pushes one model; its version is known before the server can have seen it."""
    version = repository.ledger().last_version + 1
    answers.model_of[version] = number
    # Numbers count up by one when the clock stands still.
    done = await asyncio.to_thread(repository.push, models[number], clock=lambda: 0.0, force=True)
    if done.version != version:
        raise RuntimeError(f"expected version {version}: {done.reason}")
    await asyncio.to_thread(repository.retire, 3)
    log.append(done.reason)


async def measure(seconds: float, period: float, per_protocol: int, folder: Path) -> dict[str, Any]:
    """The minute."""
    feed = co2.windows(32)
    models = [co2.export(folder / f"model-{i}", seed=i) for i in range(MODELS)]
    answers = Answers([co2.forecasts(m, feed) for m in models])
    files = requests.write(folder / "requests", "co2", feed)
    repository = ModelRepository(folder / "serving" / "co2")
    log: list[str] = []
    for number in range(2):
        await push(repository, models, number, answers, log)
    with serving(repository.base, "co2", folder, "--enable_batching=true") as server:
        changing = asyncio.create_task(change(repository, models, answers, period, log))
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
        results = await asyncio.gather(*loads)
        changing.cancel()
    return {
        "answers": {p: len(r["latencies"]) for p, r in zip(("grpc", "rest"), results, strict=True)},
        "failed_or_wrong": sum(r["failed"] for r in results),
        "errors": [e for r in results for e in r["errors"]],
        "pushes": sum(line.startswith("pushed") for line in log),
        "rollbacks": sum(line.startswith("rolled") for line in log),
        "versions_that_answered": len(answers.seen),
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
        print(f"{key:24}{value}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    if found["failed_or_wrong"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
