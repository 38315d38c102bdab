"""The files of a backtest."""

from __future__ import annotations

import csv
from pathlib import Path

from components.backtest.evaluate import Backtest
from components.backtest.evaluation import Evaluation
from models.errors import FailedRunError
from models.metrics.scores import METRICS

EVALUATION = "evaluation.json"
PER_SERIES = "per_series.csv"


def write(backtest: Backtest, series: tuple[str, ...], folder: Path) -> None:
    """Writes `per_series.csv` and, last, `evaluation.json` into `folder`, made if missing.

    `per_series.csv` has a row per model and series: `model`, `series`, `labels` (labels scored)
    and every metric; a metric that is not defined is left empty.

    Args:
        backtest: What was found.
        series: Names of the series, in the order of the store.
        folder: Where.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{PER_SERIES}.part"
    with part.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "series", "labels", *METRICS])
        for model, scores in backtest.scores.items():
            along, labels = scores.by("series"), scores.scored("series")
            for i, name in enumerate(series):
                values = (float(along[m][i]) for m in METRICS)
                cells = ["" if v != v else repr(v) for v in values]
                writer.writerow([model, name, int(labels[i]), *cells])
    part.replace(folder / PER_SERIES)
    part = folder / f"{EVALUATION}.part"
    part.write_text(backtest.evaluation.model_dump_json(indent=1) + "\n")
    part.replace(folder / EVALUATION)


def read(folder: Path) -> Evaluation:
    """The evaluation in `folder`.

    Raises:
        FailedRunError: If there is none.
    """
    path = folder / EVALUATION
    if not path.is_file():
        raise FailedRunError(f"{folder} holds no {EVALUATION}: run the pipeline again")
    return Evaluation.from_json(path.read_text())
