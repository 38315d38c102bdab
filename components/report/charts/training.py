"""Learning curves, gradient norm, and how far back in time the gradient reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.report.charts.svg import LINES, SOFT, inline, legend, logarithmic, panels
from components.report.page import Chart
from models.training.gradient_flow.flow import FALLEN, GradientFlow, reach
from models.training.history import TrainingHistory


def training_charts(history: TrainingHistory) -> Iterator[Chart]:
    """Loss, gradient norm and, where it was measured, gradient reach."""
    yield _loss(history)
    yield _norm(history)
    flows = [GradientFlow.from_json(flow) for flow in history.gradient_flow]
    if flows:
        yield _by_lag(flows)
        if len(flows) > 1:
            yield _reach(flows)


def _epochs(history: TrainingHistory) -> tuple[Figure, Axes, range]:
    figure, [axes] = panels()
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes, range(1, history.epochs_run + 1)


def _loss(history: TrainingHistory) -> Chart:
    figure, axes, epochs = _epochs(history)
    train, validation = history.epochs["loss"], history.epochs["val_loss"]
    axes.plot(epochs, train, color=LINES[1], marker=".", label="train")
    axes.plot(epochs, validation, color=LINES[0], marker=".", label="validation")
    axes.axvline(history.best_epoch, color=SOFT, linestyle="--", linewidth=1, label="kept")
    finite = [v for v in (*train, *validation) if np.isfinite(v)]
    if finite and min(finite) > 0 and max(finite) > 20 * min(finite):
        logarithmic(axes)
    axes.set_ylabel("loss")
    legend(axes)
    words = f"The weights of epoch {history.best_epoch} were kept."
    return Chart("Learning curves", inline(figure, "loss", "loss by epoch"), words)


def _norm(history: TrainingHistory) -> Chart:
    figure, axes, epochs = _epochs(history)
    mean, largest = history.epochs["gradient_norm"], history.epochs["gradient_norm_max"]
    axes.plot(epochs, largest, color=LINES[1], marker=".", label="largest of the epoch")
    axes.plot(epochs, mean, color=LINES[0], marker=".", label="mean of the epoch")
    if min(mean, default=0) > 0:
        logarithmic(axes)
    axes.set_ylabel("global norm")
    legend(axes)
    clipped = history.epochs["clipped_share"]
    words = "Before clipping."
    if any(clipped):
        words += f" {np.mean(clipped):.0%} of all steps were clipped."
    return Chart("Gradient norm", inline(figure, "norm", "gradient norm by epoch"), words)


def _by_lag(flows: Sequence[GradientFlow]) -> Chart:
    first, last = flows[0], flows[-1]
    figure, [axes] = panels()
    for index, (name, norms) in enumerate(last.norms.items()):
        color = LINES[index % len(LINES)]
        axes.plot(_positive(norms), color=color, label=f"{name}, epoch {last.epoch}")
        if first is not last:
            axes.plot(
                _positive(first.norms[name]), color=color, alpha=0.45, linestyle="--",
                label=f"epoch {first.epoch}",
            )  # fmt: skip
        if (lag := reach(norms)) < len(norms):
            axes.axvline(lag, color=color, linestyle=":")
    if any(norm > 0 for norms in last.norms.values() for norm in norms):
        logarithmic(axes)
    axes.set_xlabel("steps before the last one read")
    axes.set_ylabel("norm of the gradient")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes)
    steps = len(next(iter(last.norms.values())))
    words = (
        f"Gradient of the loss by the state at each step. After epoch {last.epoch} it reaches "
        f"{last.reach} of {steps} steps back before it has fallen to {FALLEN:.0%}."
    )
    return Chart("Gradient reach", inline(figure, "flow", "gradient norm by time lag"), words)


def _reach(flows: Sequence[GradientFlow]) -> Chart:
    figure, [axes] = panels(height=2.2)
    epochs = [flow.epoch for flow in flows]
    axes.plot(epochs, [flow.reach for flow in flows], color=LINES[0], marker="o")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel("steps")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    drawing = inline(figure, "reach", "gradient reach by epoch")
    return Chart("Gradient reach over epochs", drawing, "Of the first recurrent layer.")


def _positive(norms: Sequence[float]) -> list[float]:
    """A logarithmic axis has no zero: such norms are left out."""
    return [norm if norm > 0 else float("nan") for norm in norms]
