"""Runs in a process of its own: an exported model, TensorFlow, NumPy, and nothing of ours.

Usage: `python -I probe.py MODEL VERIFICATION RESULT`. Writes RESULT, JSON:
{"checks": [{"name", "passed", "detail"}, ...], "max_error": share of the scale or null}.
A model that does not load or answer is a failed check, not a failed process.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

TOLERANCE = 1e-5
OURS = ("models", "components", "pipeline", "serving")


class Guard:
    """Refuses to import Elman: an installed copy must not lend a hand."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG002
        """Raises ImportError for our packages; None for all others."""
        if name.partition(".")[0] in OURS:
            raise ImportError(f"{name}: the check runs without Elman")


class Checks:
    """Results, in the order in which they came."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []

    def add(self, name: str, passed: Any, detail: Any) -> bool:
        """Keeps one result."""
        self.results.append({"name": name, "passed": bool(passed), "detail": str(detail)})
        return bool(passed)


def elman_is_absent(checks: Checks) -> bool:
    """Whether none of our packages can be imported here."""
    present = []
    for name in OURS:
        try:
            __import__(name)
        except ImportError:
            continue
        present.append(name)
    detail = f"importable: {present}" if present else "no Elman code can be imported"
    return checks.add("isolated", not present, detail)


def operations(folder: Path) -> set[str]:
    """Names of all operations in the graph and in its function library."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    names: set[str] = set()
    for meta in saved.meta_graphs:
        names.update(node.op for node in meta.graph_def.node)
        for function in meta.graph_def.library.function:
            names.update(node.op for node in function.node_def)
    return names


def serialized(window: dict[str, Any]) -> bytes:
    """One window as a serialized tf.Example."""
    import numpy as np
    import tensorflow as tf

    features = {}
    for name, value in window.items():
        flat = np.atleast_1d(value)
        if flat.dtype.kind in "UO":
            kind = {"bytes_list": tf.train.BytesList(value=[str(w).encode() for w in flat])}
        elif flat.dtype.kind in "iu":
            kind = {"int64_list": tf.train.Int64List(value=flat)}
        else:
            kind = {"float_list": tf.train.FloatList(value=flat)}
        features[name] = tf.train.Feature(**kind)
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def answers(signature: Any, inputs: dict[str, Any], size: int) -> dict[str, Any]:
    """Outputs of `signature` for all windows, `size` at a time."""
    import numpy as np
    import tensorflow as tf

    n = len(next(iter(inputs.values())))
    parts = []
    for start in range(0, n, size):
        batch = {
            k: tf.constant(
                v[start : start + size].astype(object)
                if v.dtype.kind == "U"
                else v[start : start + size]
            )
            for k, v in inputs.items()
        }
        parts.append({k: v.numpy() for k, v in signature(**batch).items()})
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def compare(
    checks: Checks,
    name: str,
    got: dict[str, Any],
    expected: dict[str, Any],
    scale: dict[str, Any],
    reference: str = "the training process",
) -> float | None:
    """Checks names, shapes, types, finiteness and values; returns the largest relative error."""
    import numpy as np

    if not checks.add(
        f"{name}: outputs",
        set(got) == set(expected),
        f"got {sorted(got)}, wanted {sorted(expected)}",
    ):
        return None
    worst = 0.0
    for key, want in expected.items():
        have = got[key]
        where = f"{name}: {key}"
        if not checks.add(
            f"{where} shape",
            have.shape == want.shape and have.dtype == np.float32,
            f"got {have.dtype} {have.shape}, wanted float32 {want.shape}",
        ):
            return None
        if not checks.add(
            f"{where} finite", np.isfinite(have).all(), f"{(~np.isfinite(have)).sum()} not finite"
        ):
            return None
        error = float(np.abs(have.astype(float) - want).max() / max(float(scale[key]), 1e-30))
        worst = max(worst, error)
        checks.add(
            f"{where} values",
            error <= TOLERANCE,
            f"differs from {reference} by {error:.2g} of its scale, {TOLERANCE:g} is allowed",
        )
    return worst


def streamed(
    signatures: Any, about: dict[str, Any], inputs: dict[str, Any], times: Any
) -> dict[str, Any]:
    """Outputs after the last step, when every window of `inputs` is fed step by step."""
    import tensorflow as tf

    covariates, spec = about["roles"]["covariates"], about["spec"]
    ahead = 1 + spec["gap"] + spec["horizon"]
    n = len(next(iter(inputs.values())))
    state = signatures["stream_init"](batch=tf.constant(n))
    names = sorted(state)
    outputs: dict[str, Any] = {}
    for t in range(spec["lookback"]):
        step = {}
        for column, name in about["inputs"].items():
            value = inputs[name]
            if column in covariates["future"]:
                value = value[:, t : t + ahead]
            elif column == "time" and covariates["calendar"]:
                value = times[:, t]
            elif column not in covariates["static"]:
                value = value[:, t]
            step[name] = tf.constant(value.astype(object) if value.dtype.kind == "U" else value)
        outputs = signatures["stream_step"](**step, **state)
        state = {name: outputs[name] for name in names}
    return {name: value.numpy() for name, value in outputs.items() if name not in names}


def beside(module: str) -> Any:
    """Another file of the check."""
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # -I leaves the folder of a script out
    return importlib.import_module(module)


def engines(
    folder: Path, checks: Checks, signatures: Any, about: dict[str, Any], stored: dict[str, Any]
) -> list[float | None]:
    """The relative errors of the engines whose files are in `folder`, against the SavedModel."""
    found = beside("engine_probe").probe_engines(folder, signatures, about, stored)
    errors: list[float | None] = []
    for name, error, got, expected, scale in found:
        if checks.add(f"{name}: answers", error is None, error or "it runs"):
            errors.append(compare(checks, name, got, expected, scale, "the SavedModel"))
    return errors


def probe(folder: Path, verification: Path, checks: Checks) -> float | None:
    """All checks; the largest relative error, or None where there was nothing to compare."""
    import numpy as np
    import tensorflow as tf

    with np.load(verification, allow_pickle=False) as arrays:
        stored = {key: arrays[key] for key in arrays.files}

    def part(prefix: str) -> dict[str, Any]:
        return {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}

    inputs, expected, scale = part("input."), part("output."), part("scale.")
    try:
        foreign = sorted(op for op in operations(folder) if "cudnn" in op.lower())
    except Exception as error:
        checks.add("graph", False, f"saved_model.pb cannot be read: {error}")
        return None
    checks.add("portable", not foreign, f"needs a GPU: {foreign}" if foreign else "no cuDNN ops")
    devices = tf.config.list_physical_devices("GPU")
    checks.add("cpu", not devices, f"GPUs listed: {len(devices)}")
    try:
        signatures = tf.saved_model.load(str(folder)).signatures
        loaded = {name: signatures[name] for name in ("serving_default", "serve_examples")}
    except Exception as error:
        checks.add("loads", False, f"{type(error).__name__}: {error}")
        return None
    checks.add("loads", True, "the signatures are there")
    about = json.loads((folder / "assets.extra" / "elman.json").read_text(encoding="utf-8"))
    if about["task"] != "forecast":
        sequences = beside("sequence_probe")
        worst: float | None = sequences.probe_sequences(
            checks, signatures, about, stored, serialized
        )
        return worst
    n = len(next(iter(inputs.values())))
    examples = np.array(
        [serialized({k: v[i] for k, v in inputs.items()}) for i in range(n)], object
    )
    requests = {"serving_default": inputs, "serve_examples": {"examples": examples}}
    errors = []
    for name, values in requests.items():
        for size in sorted({1, n}):
            label = f"{name}, batch {size}"
            try:
                got = answers(loaded[name], values, size)
            except Exception as error:
                checks.add(f"{label}: answers", False, f"{type(error).__name__}: {error}")
                continue
            errors.append(compare(checks, label, got, expected, scale))
    if about["streaming"] is not None:
        try:
            got = streamed(signatures, about, inputs, stored.get("stream.time"))
        except Exception as error:
            checks.add("stream_step: answers", False, f"{type(error).__name__}: {error}")
        else:
            errors.append(compare(checks, "stream_step", got, expected, scale))
    errors += engines(folder, checks, signatures, about, stored)
    found = [e for e in errors if e is not None]
    return max(found) if found else None


def main(model: str, verification: str, result: str) -> None:
    """Probes, and writes the result last."""
    sys.meta_path.insert(0, Guard())
    checks = Checks()
    worst = None
    if elman_is_absent(checks):
        worst = probe(Path(model), Path(verification), checks)
    Path(result).write_text(json.dumps({"checks": checks.results, "max_error": worst}))


if __name__ == "__main__":
    main(*sys.argv[1:])
