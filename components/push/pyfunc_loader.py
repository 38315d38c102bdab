"""Serves a pushed model through MLflow: this file goes into the registry as it is.

It is loaded where Elman is not installed, so it needs TensorFlow, NumPy and pandas only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

ROWS_PER_CALL = 1024


def _load_pyfunc(path: str) -> Forecaster:
    """MLflow's entry: the model whose SavedModel is in the folder `path`."""
    return Forecaster(Path(path))


class Forecaster:
    """Forecasts windows that are the rows of a DataFrame."""

    def __init__(self, folder: Path) -> None:
        described = json.loads((folder / "assets.extra" / "elman.json").read_text("utf-8"))
        self._inputs: dict[str, str] = described["inputs"]
        self._outputs: dict[str, str] = described["outputs"]
        self._loaded = tf.saved_model.load(str(folder))  # owns the variables of the signature
        self._forecast = self._loaded.signatures["serving_default"]
        self._specs = self._forecast.structured_input_signature[1]

    def predict(self, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """Forecasts every row.

        Args:
            model_input: One row per window and one column per input of the model, raw values in
                natural units. A cell holds a list (or array) of the window's values, oldest
                first, or one value for a static covariate or the time of the origin.
            params: Not used; MLflow passes it.

        Returns:
            A column per target with the rows of the input; a cell is the list of `horizon` values.

        Raises:
            ValueError: If a column is missing, or a cell has the wrong length or type.
        """
        missing = [column for column in self._inputs if column not in model_input.columns]
        if missing:
            raise ValueError(
                f"the columns {missing} are missing; the model needs {list(self._inputs)}, "
                f"got {[str(c) for c in model_input.columns]}"
            )
        cells: dict[str, list[list[float]]] = {target: [] for target in self._outputs}
        for start in range(0, len(model_input), ROWS_PER_CALL):
            rows = model_input.iloc[start : start + ROWS_PER_CALL]
            feed = {
                name: tf.constant(self._array(rows[column], column, self._specs[name]))
                for column, name in self._inputs.items()
            }
            forecasts = self._forecast(**feed)
            for target, name in self._outputs.items():
                cells[target] += forecasts[name].numpy().tolist()
        return pd.DataFrame({k: pd.Series(v, model_input.index, object) for k, v in cells.items()})

    @staticmethod
    def _array(column: pd.Series[Any], name: str, spec: tf.TensorSpec) -> np.ndarray[Any, Any]:
        shape = tuple(spec.shape[1:])
        if spec.dtype == tf.string:
            return np.asarray([str(value) for value in column], dtype=object)
        try:
            arrays = [np.asarray(value, dtype=spec.dtype.as_numpy_dtype) for value in column]
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {name!r}: expected numbers ({error})") from error
        wrong = next((a.shape for a in arrays if a.shape != shape), None)
        if wrong is not None:
            want = f"a list of {shape[0]} values" if shape else "one value"
            got = f"a list of {wrong[0]}" if wrong else "one value"
            raise ValueError(f"column {name!r}: expected {want} in every row, got {got}")
        return np.stack(arrays)
