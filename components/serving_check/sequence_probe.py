"""Beside `probe.py` in its process: what an exported sequence model answers. Nothing of ours.

Sequences go through the signatures one by one, as long as they are, and all together, with
rubbish for padding; their answers must be those of training either way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOLERANCE = 1e-5
SAMPLED, SAMPLE_STEPS = 4, 12

Arrays = dict[str, Any]


class WrongError(Exception):
    """An answer that cannot be compared, or names other classes."""


class Sequences:
    """What `verification.npz` holds, and how it is asked for.

    Args:
        stored: By name, the arrays of `models.sequences.export.verification`.
        about: The model's metadata.
        serialized: Makes a serialized tf.Example of arrays by name.
    """

    def __init__(
        self, stored: Arrays, about: dict[str, Any], serialized: Callable[[Arrays], bytes]
    ) -> None:
        self.steps, self.classes = stored["steps"], stored["classes"]
        self.task: str = about["task"]
        self.padded = "length" in about["inputs"]
        # The symbols of a text, one at a time; all else is streamed as it is.
        self.columns = {k[7:]: v for k, v in stored.items() if k.startswith("stream.")}
        self._inputs = {k[6:]: v for k, v in stored.items() if k.startswith("input.")}
        self._outputs = {k[7:]: v for k, v in stored.items() if k.startswith("output.")}
        self._serialized = serialized

    def __len__(self) -> int:
        return len(self.steps)

    def raw(self, rows: Any, *, rubbish: bool = False) -> Arrays:
        """The inputs of some sequences, as long as the longest of them.

        Args:
            rows: int `[rows]`.
            rubbish: Whether two more steps are put behind them, and what is behind the length of
                each is made into what a model must never read.
        """
        import numpy as np

        longest = int(self.steps[rows].max())
        feed: Arrays = {}
        for name, value in self._inputs.items():
            part = value[rows]
            if part.ndim == 2:
                part = (
                    part[:, :longest].astype(object)
                    if part.dtype.kind == "U"
                    else part[:, :longest]
                )
                if rubbish:
                    text = part.dtype == object
                    part = np.pad(part, ((0, 0), (0, 2)), constant_values="" if text else 0)
                    behind = np.arange(longest + 2) >= self.steps[rows][:, None]
                    part = np.where(behind, "rubbish" if text else np.float32("nan"), part)
            feed[name] = part.astype(object) if part.dtype.kind == "U" else part
        return feed

    def examples(self, rows: Any) -> Arrays:
        """The same sequences as serialized tf.Examples, which have no padding and no length."""
        import numpy as np

        made = []
        for row in rows:
            values = {}
            for name, value in self._inputs.items():
                if name != "length" or not self.padded:
                    values[name] = value[row, : self.steps[row]] if value.ndim == 2 else value[row]
            made.append(self._serialized(values))
        return {"examples": np.array(made, object)}

    def expected(self, rows: Any, extra: int) -> Arrays:
        """The outputs for some sequences, with `extra` more padded steps."""
        import numpy as np

        longest = int(self.steps[rows].max())
        found = {}
        for name, value in self._outputs.items():
            part = value[rows]
            if part.ndim == 3:
                part = np.pad(part[:, :longest], ((0, 0), (0, extra), (0, 0)))
            found[name] = part
        return found

    def inside(self, rows: Any, time: int) -> Any:
        """Which steps count, bool `[rows, time]`."""
        import numpy as np

        return np.arange(time) < self.steps[rows][:, None]


def judged(got: Arrays, want: Arrays, data: Sequences, rows: Any) -> float:
    """The largest error of a probability in the answer for some sequences.

    Raises:
        WrongError: If outputs are missing, have another shape, or name other classes.
    """
    import numpy as np

    outputs = {*want, "classes", "label"}
    if set(got) != outputs:
        raise WrongError(f"got the outputs {sorted(got)}, wanted {sorted(outputs)}")
    worst = 0.0
    for key, value in want.items():
        have = got[key]
        if have.shape != value.shape or have.dtype != np.float32:
            raise WrongError(f"{key}: got {have.dtype} {have.shape}, wanted float32 {value.shape}")
        if not np.isfinite(have).all():
            raise WrongError(f"{key}: {(~np.isfinite(have)).sum()} values are not finite")
        worst = max(worst, float(np.abs(have - value).max(initial=0.0)))
    names = np.broadcast_to(data.classes, (len(rows), len(data.classes)))
    if not np.array_equal(text(got["classes"]), names):
        raise WrongError("classes: other names than those of training")
    probabilities = want["probabilities"]
    right = data.classes[probabilities.argmax(axis=-1)]
    best = np.sort(probabilities, axis=-1)
    # Where the two best are as good as equal, either is right.
    clear = best[..., -1] - best[..., max(-2, -best.shape[-1])] > 2 * TOLERANCE
    if data.task != "classify":
        inside = data.inside(rows, probabilities.shape[1])
        right, clear = np.where(inside, right, ""), clear | ~inside
    labels = text(got["label"])
    if labels.shape != right.shape or (clear & (labels != right)).any():
        raise WrongError(f"label: got {labels.tolist()}, wanted {right.tolist()}"[:1000])
    return worst


def compared(checks: Any, name: str, ask: Callable[[], list[float]]) -> float | None:
    """Runs one kind of request; the largest error, or None if there was nothing to compare."""
    try:
        worst = max(ask())
    except WrongError as error:
        checks.add(f"{name}: outputs", False, error)
        return None
    except Exception as error:
        checks.add(f"{name}: answers", False, f"{type(error).__name__}: {error}"[:2000])
        return None
    checks.add(f"{name}: outputs", True, "shapes, classes and labels are those of training")
    checks.add(
        f"{name}: values",
        worst <= TOLERANCE,
        f"probabilities differ from the training process by {worst:.2g}, {TOLERANCE:g} is allowed",
    )
    return worst


def text(value: Any) -> Any:
    """A string tensor as an array of str."""
    import numpy as np

    return np.char.decode(value.astype("S"), "utf-8")


def call(signature: Any, inputs: Arrays) -> Arrays:
    """The outputs of a signature as NumPy arrays."""
    import tensorflow as tf

    return {
        k: v.numpy() for k, v in signature(**{k: tf.constant(v) for k, v in inputs.items()}).items()
    }


def probe_sequences(
    checks: Any,
    signatures: Any,
    about: dict[str, Any],
    stored: Arrays,
    serialized: Callable[[Arrays], bytes],
) -> float | None:
    """All checks of a sequence model; the largest error of a probability, None if none compared."""
    import numpy as np

    data = Sequences(stored, about, serialized)
    every = np.arange(len(data))
    alone = [every[i : i + 1] for i in every]
    default, examples = signatures["serving_default"], signatures["serve_examples"]

    def ask(signature: Any, parts: Any, make: Any, extra: int = 0) -> Any:
        return lambda: [
            judged(call(signature, make(rows)), data.expected(rows, extra), data, rows)
            for rows in parts
        ]

    def padded(rows: Any) -> Arrays:
        return data.raw(rows, rubbish=True)

    extra = 2 if data.padded else 0
    kinds = {
        "serving_default, alone": ask(default, alone, data.raw),
        "serving_default, together": ask(default, [every], padded, extra),
        "serve_examples, alone": ask(examples, alone, data.examples),
        "serve_examples, together": ask(examples, [every], data.examples),
    }
    if about["streaming"] is not None:
        kinds["stream_step"] = lambda: [streamed(signatures, about, data)]
    errors = [compared(checks, name, ask) for name, ask in kinds.items()]
    if about["task"] == "next_step":
        sampled(checks, signatures, data)
    found = [error for error in errors if error is not None]
    return max(found) if found else None


def streamed(signatures: Any, about: dict[str, Any], data: Sequences) -> float:
    """The largest error of a probability, when all sequences are fed step by step side by side."""
    import numpy as np

    every = np.arange(len(data))
    want = data.expected(every, 0)["probabilities"]
    feed = {**data.raw(every), **{k: v.astype(object) for k, v in data.columns.items()}}
    state = call(signatures["stream_init"], {"batch": np.int32(len(data))})
    names, worst = sorted(state), 0.0
    for t in range(int(data.steps.max())):
        step = {
            name: feed[name][:, t]
            for column, name in about["inputs"].items()
            if column in about["streaming"]["inputs"]
        }
        outputs = call(signatures["stream_step"], {**step, **state})
        state = {name: outputs[name] for name in names}
        whole = data.task == "classify"
        rows = data.steps == t + 1 if whole else data.steps > t
        right = want if whole else want[:, t]
        error = np.abs(outputs["probabilities"] - right)[rows]
        worst = max(worst, float(error.max(initial=0.0)) if np.isfinite(error).all() else np.inf)
    return worst


def sampled(checks: Any, signatures: Any, data: Sequences) -> None:
    """Whether `sample` gives the same symbols again, alone and together, and only known ones."""
    import numpy as np

    rows = np.arange(min(SAMPLED, len(data)))
    n = len(rows)
    steps = np.asarray([SAMPLE_STEPS - i for i in range(n)], np.int32)
    asked: Arrays = {
        "steps": steps,
        "temperature": np.ones(n, np.float32),
        "seed": np.arange(n, dtype=np.int64),
    }
    try:
        sample = signatures["sample"]
        first, again = (
            text(call(sample, {**data.raw(rows), **asked})["symbols"]) for _ in range(2)
        )
        alone = [
            call(
                sample, {**data.raw(rows[i : i + 1]), **{k: v[i : i + 1] for k, v in asked.items()}}
            )
            for i in range(n)
        ]
        apart = [text(one["symbols"][0]) for one in alone]
    except Exception as error:
        checks.add("sample: answers", False, f"{type(error).__name__}: {error}"[:2000])
        return
    checks.add(
        "sample: reproducible",
        (first == again).all() and all((first[i, : steps[i]] == apart[i]).all() for i in range(n)),
        "the same seeds give the same symbols, alone and together",
    )
    inside = np.arange(first.shape[1]) < steps[:, None]
    known = np.isin(first[inside], data.classes[1:]).all() and (first[~inside] == "").all()
    checks.add(
        "sample: symbols",
        known and first.shape == (n, SAMPLE_STEPS),
        f"known symbols for as many steps as asked: {first.tolist()}"[:500],
    )
