"""The files of a backtest of sequences."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from components.sequence_backtest.evaluate import SequenceBacktest
from components.sequence_backtest.evaluation import SequenceEvaluation
from models.errors import FailedRunError

EVALUATION = "evaluation.json"
PER_CLASS = "per_class.csv"
COLUMNS = ("model", "class", "support", "predicted", "precision", "recall", "f1")


def write(backtest: SequenceBacktest, folder: Path) -> None:
    """Writes `per_class.csv` and, last, `evaluation.json` into `folder`, made if missing.

    `per_class.csv` has a row per model and class that has labels or predictions: see `COLUMNS`; a
    value that is not defined is left empty.

    Args:
        backtest: What was found.
        folder: Where.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{PER_CLASS}.part"
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for model, scores in backtest.scores.items():
            shares = np.stack([scores.precision, scores.recall, scores.f1], axis=1)
            for i in np.flatnonzero(scores.support + scores.predicted):
                cells = ["" if np.isnan(v) else repr(float(v)) for v in shares[i]]
                counts = (int(scores.support[i]), int(scores.predicted[i]))
                writer.writerow([model, backtest.classes[i], *counts, *cells])
    part.replace(folder / PER_CLASS)
    part = folder / f"{EVALUATION}.part"
    part.write_text(backtest.evaluation.model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.replace(folder / EVALUATION)


def read(folder: Path) -> SequenceEvaluation:
    """The evaluation in `folder`.

    Raises:
        FailedRunError: If there is none.
    """
    path = folder / EVALUATION
    if not path.is_file():
        raise FailedRunError(f"{folder} holds no {EVALUATION}: run the pipeline again")
    return SequenceEvaluation.from_json(path.read_text(encoding="utf-8"))
