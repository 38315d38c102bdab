"""Warm-up requests of a sequence model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.export.warmup import Requests, serialized_example
from models.sequences.export.metadata import SEED, STEPS, TEMPERATURE
from models.sequences.view import LENGTH


def sequence_requests(described: Mapping[str, Any]) -> Requests:
    """One sequence of one step for each signature; see `models.export.warmup.write_warmup`."""
    names, types = described["inputs"], described["input_types"]
    shapes = described["input_shapes"]
    whole = {
        name: np.ones(1, np.int32) if column == LENGTH else _blank(shapes[column], types[column])
        for column, name in names.items()
    }
    features = {names[c]: whole[names[c]][0] for c in names if c != LENGTH}
    row = np.zeros(1, np.int32)
    requests: Requests = {
        "serving_default": whole,
        "serve_examples": {"examples": np.array([serialized_example(features)], object)},
        "describe": {"rows": row},
    }
    if described["task"] == "next_step":
        requests["sample"] = {
            **whole,
            STEPS: np.ones(1, np.int32),
            TEMPERATURE: np.ones(1, np.float32),
            SEED: np.zeros(1, np.int64),
        }
    streaming = described["streaming"]
    if streaming is not None:
        step = {names[c]: _blank([], types[c]) for c in streaming["inputs"]}
        state = {
            name: np.zeros((1, *shape), np.float32) for name, shape in streaming["state"].items()
        }
        requests |= {"stream_init": {"batch": row}, "stream_step": step | state}
    return requests


def _blank(shape: list[int], dtype: str) -> np.ndarray[Any, Any]:
    """One row, of one step where there is a time."""
    wide = (1, *(abs(n) for n in shape))
    return np.full(wide, b"", object) if dtype == "string" else np.zeros(wide, dtype)
