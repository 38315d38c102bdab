"""Serves a pushed sequence model through MLflow: this file goes into the registry as it is.

It is loaded where Elman is not installed, so it needs TensorFlow, NumPy and pandas only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

ROWS_PER_CALL = 256
LENGTH = "length"


def _load_pyfunc(path: str) -> SequenceModel:
    """MLflow's entry: the model whose SavedModel is in the folder `path`."""
    return SequenceModel(Path(path))


class SequenceModel:
    """Labels sequences that are the rows of a DataFrame."""

    def __init__(self, folder: Path) -> None:
        described = json.loads((folder / "assets.extra" / "elman.json").read_text("utf-8"))
        self._inputs: dict[str, str] = dict(described["inputs"])
        self._types: dict[str, str] = described["input_types"]
        self._shapes: dict[str, list[int]] = described["input_shapes"]
        self._has_length = self._inputs.pop(LENGTH, None) is not None
        self._steps = described["task"] != "classify"
        self._loaded = tf.saved_model.load(str(folder))  # owns the variables of the signature
        self._answer = self._loaded.signatures["serving_default"]

    def predict(self, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """Labels every row.

        Args:
            model_input: One row per sequence and one column per input of the model. A cell holds
                the list of the sequence's numbers or symbols, the first step first, all of a row
                of one length; or one text.
            params: Not used; MLflow passes it.

        Returns:
            `label` and `probabilities` (in the order of the model's classes) with the rows of the
            input; for tasks with an answer at every step a cell is the list of these, a step each.

        Raises:
            ValueError: If a column is missing, or the cells of a row differ in length.
        """
        missing = [column for column in self._inputs if column not in model_input.columns]
        if missing:
            raise ValueError(
                f"the columns {missing} are missing; the model needs {list(self._inputs)}, "
                f"got {[str(c) for c in model_input.columns]}"
            )
        labels: list[Any] = []
        probabilities: list[Any] = []
        for start in range(0, len(model_input), ROWS_PER_CALL):
            rows = model_input.iloc[start : start + ROWS_PER_CALL]
            lengths = self._lengths(rows)
            feed = {
                name: tf.constant(self._array(rows[column], column, lengths))
                for column, name in self._inputs.items()
            }
            if self._has_length:
                feed[LENGTH] = tf.constant(lengths, tf.int32)
            answer = {name: value.numpy() for name, value in self._answer(**feed).items()}
            words = np.vectorize(bytes.decode, otypes=[object])(answer["label"])
            for row, length in enumerate(lengths):
                # Of a text the number of steps is the model's to say: labels end where it ended.
                steps = int((words[row] != "").sum()) if self._steps and length < 0 else length
                labels.append(words[row][:steps].tolist() if self._steps else words[row])
                chances = answer["probabilities"][row]
                probabilities.append((chances[:steps] if self._steps else chances).tolist())
        columns = {"label": labels, "probabilities": probabilities}
        return pd.DataFrame(
            {k: pd.Series(v, model_input.index, object) for k, v in columns.items()}
        )

    def _lengths(self, rows: pd.DataFrame) -> list[int]:
        """Steps of each row; -1 for texts."""
        if not self._has_length:
            return [-1] * len(rows)
        found = []
        for position in range(len(rows)):
            each = {c: len(np.atleast_1d(rows[c].iloc[position])) for c in self._inputs}
            if len(set(each.values())) > 1:
                raise ValueError(
                    f"row {position}: the columns of a sequence have one value per step each, got "
                    + ", ".join(f"{n} of {column!r}" for column, n in each.items())
                )
            found.append(next(iter(each.values())))
        return found

    def _array(self, column: pd.Series[Any], name: str, lengths: list[int]) -> Any:
        text = self._types[name] == "string"
        if not self._shapes[name]:
            return np.asarray([str(value) for value in column], dtype=object)
        time = max(lengths, default=0)
        padded = np.full((len(column), time), "" if text else 0.0, object if text else np.float32)
        for row, (value, length) in enumerate(zip(column, lengths, strict=True)):
            try:
                padded[row, :length] = [str(v) for v in value] if text else value
            except (TypeError, ValueError) as error:
                raise ValueError(f"column {name!r}: expected numbers ({error})") from error
        return padded
