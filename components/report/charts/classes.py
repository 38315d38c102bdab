"""Confusion and reliability of models of sequences."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from components.backtest.evaluation import CANDIDATE
from components.report.charts.svg import INK, SOFT, inline, legend, line_color, panels
from components.report.page import Chart
from components.sequence_backtest.evaluation import ConfusionResult, SequenceEvaluation
from models.metrics.confusion import Confusion

WRITTEN = 12
"""Classes up to which every cell of a confusion matrix is written out."""
NAME = 24
"""Characters of a class's name that are drawn."""
_SHADES = LinearSegmentedColormap.from_list("shades", ["#e8f0fa", "#0b3d75"])


def confusion_chart(name: str, found: ConfusionResult) -> Chart | None:
    """Which class `name` takes for which; None where nothing was labelled."""
    confusion = Confusion(found.names, np.asarray(found.counts, np.int64)).trimmed()
    size = len(confusion.names)
    if not size:
        return None
    side = min(9.0, 2.5 + 0.45 * size)
    figure, [axes] = panels(height=side * 0.85, width=max(side, 5.5))
    share = confusion.counts / np.maximum(confusion.counts.sum(axis=1, keepdims=True), 1)
    # Tall and wide pixels of a small picture, which the page holds within itself.
    axes.imshow(share, cmap=_SHADES, vmin=0, vmax=1, interpolation="nearest")
    axes.grid(visible=False)
    if size <= WRITTEN:
        for row, column in np.ndindex(share.shape):
            color = "#ffffff" if share[row, column] > 0.45 else "#0b1320"
            text = f"{confusion.counts[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    names = [n if len(n) <= NAME else f"{n[: NAME - 1]}…" for n in confusion.names]
    axes.set_xticks(range(size), names, rotation=90 if size > 5 else 0, color=INK)
    axes.set_yticks(range(size), names, color=INK)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    key = "confusion" if name == CANDIDATE else "confusion-baseline"
    words = "Rows are true classes; the darker, the larger the share of the row."
    drawing = inline(figure, key, f"confusion matrix of {name}")
    return Chart(f"Confusion of {name}", drawing, words)


def reliability_chart(evaluation: SequenceEvaluation) -> Chart:
    """Confidence against accuracy of every model."""
    figure, [axes] = panels(height=4.6, width=6.2)
    axes.plot([0, 1], [0, 1], color=SOFT, linestyle=":", label="as often as it says")
    models = list(evaluation.models)
    for name, found in evaluation.reliability.items():
        pairs = zip(found.confidence, found.accuracy, strict=True)
        points = [(c, a) for c, a in pairs if c is not None and a is not None]
        x, y = zip(*points, strict=True) if points else ((), ())
        axes.plot(x, y, color=line_color(models, name), marker=".", label=name)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("mean confidence")
    axes.set_ylabel("share of right labels")
    legend(axes, 3)
    words = "How often a model is right, by how sure it says it is."
    return Chart("Reliability", inline(figure, "reliability", "reliability of all models"), words)
