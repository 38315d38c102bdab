"""Figures of a backtest of sequences, drawn without a display."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from components.sequence_backtest.evaluation import (
    CANDIDATE,
    CHAMPION,
    SequenceEvaluation,
)
from models.metrics.confusion import Confusion

COLORS = {CANDIDATE: "C3", CHAMPION: "C4"}
WRITTEN = 12
"""Classes up to which every cell of a confusion matrix is written out."""
NAME = 24
"""Characters of a class's name that are drawn."""


def figures(evaluation: SequenceEvaluation) -> Iterator[tuple[str, Figure]]:
    """Each figure with its path: which class is taken for which, by the candidate and the best
    baseline; the gate's metric of all models; and confidence against accuracy.

    Args:
        evaluation: What was found.

    Yields:
        (path such as `figures/confusion.png`, figure).
    """
    for name, found in evaluation.confusion.items():
        suffix = "" if name == CANDIDATE else "_best_baseline"
        counts = np.asarray(found.counts, np.int64)
        yield f"figures/confusion{suffix}.png", _confusion(name, Confusion(found.names, counts))
    yield "figures/models.png", _models(evaluation)
    yield "figures/reliability.png", _reliability(evaluation)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _confusion(name: str, confusion: Confusion) -> Figure:
    shown = confusion.trimmed()
    size = len(shown.names)
    figure = _figure(4 + 0.3 * size, 3 + 0.3 * size)
    axes = figure.add_subplot()
    total = shown.counts.sum(axis=1, keepdims=True)
    share = shown.counts / np.maximum(total, 1)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class")
    if size <= WRITTEN:
        for row, column in np.ndindex(share.shape):
            color = "white" if share[row, column] > 0.5 else "black"
            text = f"{shown.counts[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize="small")
    names = [_plain(name) for name in shown.names]
    axes.set_xticks(range(size), names, rotation=90 if size > WRITTEN else 45)
    axes.set_yticks(range(size), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"Classes by {name}, on the test sequences")
    return figure


def _models(evaluation: SequenceEvaluation) -> Figure:
    metric = evaluation.metric
    values = {name: getattr(scores, metric) for name, scores in evaluation.models.items()}
    # The best one on top, which is where a bar chart begins to be read; no number last.
    sign = -1 if evaluation.higher_is_better else 1
    names = sorted(values, key=lambda n: (values[n] is None, sign * (values[n] or 0)))[::-1]
    lengths = [values[name] or 0.0 for name in names]
    figure = _figure(8, 1.5 + 0.5 * len(names))
    axes = figure.add_subplot()
    bars = axes.barh(names, lengths, color=[COLORS.get(name, "C0") for name in names])
    words = ["no number" if values[n] is None else f"{values[n]:.4g}" for n in names]
    axes.bar_label(bars, words, padding=4)
    axes.margins(x=0.15)
    axes.set_xlim(left=0)
    better = "higher" if evaluation.higher_is_better else "lower"
    axes.set_xlabel(f"{metric} ({better} is better)")
    axes.set_title(f"{evaluation.labels:,} labels of {evaluation.sequences:,} test sequences")
    return figure


def _reliability(evaluation: SequenceEvaluation) -> Figure:
    figure = _figure(6, 6)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="as often as it says")
    for name, found in evaluation.reliability.items():
        error = evaluation.models[name].calibration_error
        label = name if error is None else f"{name} (error {error:.3f})"
        points = [
            (confidence, accuracy)
            for confidence, accuracy in zip(found.confidence, found.accuracy, strict=True)
            if confidence is not None and accuracy is not None
        ]
        x, y = zip(*points, strict=True) if points else ((), ())
        thin = {"color": COLORS[name], "zorder": 5} if name in COLORS else {"alpha": 0.6}
        axes.plot(x, y, marker=".", label=label, **thin)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("mean confidence")
    axes.set_ylabel("share of right labels")
    axes.set_title("Reliability on the test sequences")
    axes.legend(fontsize="small", loc="upper left")
    return figure


def _plain(name: str) -> str:
    """A class's name as it can be drawn: no formula, only what the font has, not long."""
    short = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
    drawn = _drawn()
    return "".join(c if c.isprintable() and ord(c) in drawn else "�" for c in short).replace(
        "$", r"\$"
    )


@cache
def _drawn() -> frozenset[int]:
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    return frozenset(font.get_charmap())
