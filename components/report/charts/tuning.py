"""How a search went."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from components.report.charts.svg import LINES, inline, legend, logarithmic, panels
from components.report.page import Chart
from components.tune.result import TuningResult


def trials_chart(result: TuningResult) -> Chart | None:
    """The validation loss of each trial, and the best until then; None without a finished one."""
    losses = np.array([np.nan if t.val_loss is None else t.val_loss for t in result.trials])
    if not np.isfinite(losses).any():
        return None
    figure, [axes] = panels()
    steps = np.arange(1, len(losses) + 1)
    best = np.fmin.accumulate(losses)
    axes.plot(steps, best, color=LINES[0], drawstyle="steps-post", label="best so far")
    axes.plot(steps, losses, color=LINES[1], marker="o", linestyle="", label="trial")
    finite = losses[np.isfinite(losses)]
    if finite.min() > 0 and finite.max() > 10 * finite.min():
        logarithmic(axes)
    axes.set_xlabel("trial")
    axes.set_ylabel("validation loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes)
    return Chart("Trials", inline(figure, "trials", "validation loss by trial"))
