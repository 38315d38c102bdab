"""What one window, and one step of a stream, cost by each engine.

    python -m benchmarks.engines

Forecasters of one recurrent layer of 64 units, 96 hours in and 24 ahead, weights as they begin;
batches of 1 on one core of the machine. For windows: the plain Keras layer (LSTM and Dense, no
preprocessing) exported by Keras itself, our SavedModel, both through their signature from Python,
`model.onnx` by ONNX Runtime, and our SavedModel and `model.onnx` as the embedded server calls them.
For steps the same with `stream_step` and `step.tflite`. Blocks of calls in turns (A B C A B C ...);
a row's figure is the median over its blocks' medians, with the least and the largest of them.

Goals: a window by ONNX Runtime costs at most 1/10 of Keras' export, and a step by LiteRT at most
1/20 of TensorFlow's. Answers are compared too: the largest difference in standard deviations.

Writes `benchmarks/out/engines.json`. Only the ratios mean anything on another machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf

from models.export.engine_files import write_engine_file
from models.export.metadata import read_metadata
from models.export.portable import portable_copy
from models.export.saved_model import export_forecaster
from models.export.streaming import stepper_of
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.roles import Roles
from models.windows.spec import WindowSpec
from serving.engine.loading import opened
from serving.runtimes.litert import LiteRtRuntime
from serving.runtimes.onnx import OnnxRuntime

OUT = Path(__file__).parent / "out" / "engines.json"
SPEC, ROLES, UNITS = WindowSpec(lookback=96, horizon=24), Roles(targets=("y",)), 64
LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
GOALS = {"window": 1 / 10, "step": 1 / 20}
REFERENCE = {"window": "Keras' export, signature", "step": "SavedModel, signature"}
MEASURED = {"window": "ONNX Runtime", "step": "LiteRT"}
Call = Callable[[], Any]
Calls = dict[str, Call]


def export(cell: str, folder: Path) -> Any:
    """Our forecaster with the files of both engines, as version 1; returns the network."""
    network = build_forecaster(
        spec=SPEC,
        roles=ROLES,
        model=ModelConfig(cell=cell, units=(UNITS,)),
        scaling=Scaling.of({"y": (0.0, 1.0)}),
        frequency="h",
        seed=7,
    )
    export_forecaster(
        network, folder, spec=SPEC, roles=ROLES, frequency="h", metadata={}, engine="onnx"
    )
    copy = portable_copy(network)
    stepper, _ = stepper_of(copy, SPEC, ROLES, "h", ())
    write_engine_file("litert", copy, stepper, read_metadata(folder), folder)
    return network


def keras_alone(cell: str, network: Any, folder: Path) -> Any:
    """The signature of Keras' own export of a bare layer with the weights of `network`."""
    plain = keras.Sequential(
        [
            keras.Input((SPEC.lookback, 1)),
            LAYERS[cell](UNITS, name="recurrent"),
            keras.layers.Dense(SPEC.horizon),
        ]
    )
    plain.set_weights(network.get_weights())
    plain.export(str(folder), verbose=False)
    loaded = tf.saved_model.load(str(folder))
    return loaded, loaded.signatures["serving_default"]


def window_calls(folder: Path, plain: Any) -> Calls:
    """By row, a forecast of one window as an array."""
    window = np.random.default_rng(0).normal(size=(1, SPEC.lookback)).astype(np.float32)
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["serving_default"]
    onnx = OnnxRuntime(folder / "model.onnx")
    tensorflow, server = (opened("m", 1, folder, None, e) for e in ("tensorflow", "onnx"))
    (name,) = plain.structured_input_signature[1]
    sequence, one = tf.constant(window[..., None]), tf.constant(window)
    feed = {"y": window}
    return {
        "Keras' export, signature": lambda: next(iter(plain(**{name: sequence}).values())).numpy(),
        "SavedModel, signature": lambda _=loaded: signature(y=one)["y"].numpy(),
        "ONNX Runtime": lambda: onnx.run(feed, ["y"])[0],
        "embedded server, SavedModel": lambda: tensorflow.run("serving_default", feed)["y"],
        "embedded server, ONNX Runtime": lambda: server.run("serving_default", feed)["y"],
    }


def step_calls(folder: Path) -> Calls:
    """By row, the forecast after one more step as an array."""
    shapes = read_metadata(folder)["streaming"]["state"]
    random = np.random.default_rng(1)
    feed = {"y": random.normal(size=1).astype(np.float32)}
    feed |= {k: random.normal(size=(1, *s)).astype(np.float32) for k, s in shapes.items()}
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["stream_step"]
    tensors = {name: tf.constant(value) for name, value in feed.items()}
    litert = LiteRtRuntime(folder / "step.tflite")
    names = ["y", *shapes]
    tensorflow, server = (opened("m", 1, folder, None, e) for e in ("tensorflow", "litert"))

    def through_signature(_: Any = loaded) -> Any:
        return [value.numpy() for value in signature(**tensors).values()]

    return {
        "SavedModel, signature": through_signature,
        "LiteRT": lambda: litert.run(feed, names),
        "embedded server, SavedModel": lambda: tensorflow.run("stream_step", feed),
        "embedded server, LiteRT": lambda: server.run("stream_step", feed),
    }


def measured(calls: Calls, blocks: int, size: int) -> dict[str, dict[str, float]]:
    """By row, median, least and largest of its blocks' medians, in seconds."""
    for call in calls.values():
        for _ in range(size):
            call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(blocks):
        for name, call in calls.items():
            block = []
            for _ in range(size):
                before = time.perf_counter()
                call()
                block.append(time.perf_counter() - before)
            taken[name].append(statistics.median(block))
    return {
        name: {"median": statistics.median(each), "least": min(each), "largest": max(each)}
        for name, each in taken.items()
    }


def differences(calls: Calls) -> dict[str, float]:
    """By row, the largest difference of its forecast to that of our SavedModel's signature."""
    answers = {name: call() for name, call in calls.items()}
    forecasts = {}
    for name, answer in answers.items():
        value = answer["y"] if isinstance(answer, dict) else answer
        forecasts[name] = value if isinstance(value, np.ndarray) else None
    # Steps come as several arrays; their forecast is the one as long as the horizon.
    for name, answer in answers.items():
        if forecasts[name] is None:
            forecasts[name] = next(v for v in answer if v.shape == (1, SPEC.horizon))
    want = forecasts["SavedModel, signature"]
    return {name: float(np.abs(value - want).max()) for name, value in forecasts.items()}


def main() -> None:
    """Measures, prints tables, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=30)
    parser.add_argument("--calls", type=int, default=20, help="in a block")
    parser.add_argument("--cells", nargs="+", default=list(LAYERS), choices=list(LAYERS))
    given = parser.parse_args()
    found: dict[str, Any] = {}
    for cell in given.cells:
        with tempfile.TemporaryDirectory(prefix="elman-engines-") as name:
            folder = Path(name) / "ours"
            network = export(cell, folder)
            _kept, plain = keras_alone(cell, network, Path(name) / "keras")
            kinds = {"window": window_calls(folder, plain), "step": step_calls(folder)}
            found[cell] = {
                kind: {
                    "seconds": measured(calls, given.blocks, given.calls),
                    "difference": differences(calls),
                }
                for kind, calls in kinds.items()
            }
    for cell, kinds_found in found.items():
        for kind, each in kinds_found.items():
            seconds, reference = each["seconds"], REFERENCE[kind]
            print(f"\n{cell} {UNITS}, one {kind}{'ms':>26}{'range':>18}{'of ' + reference:>36}")
            for row, figures in seconds.items():
                share = figures["median"] / seconds[reference]["median"]
                low, high = 1e3 * figures["least"], 1e3 * figures["largest"]
                print(
                    f"  {row:32}{1e3 * figures['median']:9.3f}{low:10.3f} to {high:7.3f}"
                    f"{share:12.4f}   differs by {each['difference'][row]:.1e}"
                )
            share = seconds[MEASURED[kind]]["median"] / seconds[reference]["median"]
            each["share"], each["goal"] = share, GOALS[kind]
            verdict = "reached" if share <= GOALS[kind] else "missed"
            print(f"  goal: at most {GOALS[kind]:g} of {reference}; {share:.4f}: {verdict}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
