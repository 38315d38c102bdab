"""Figures of gradient flow: how far back in time the gradient of the loss reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from models.training.gradient_flow.flow import FALLEN, GradientFlow, reach

MOST_TICKS = 10
SMALLEST = 1e-8
"""Shares of the norm at lag 0 below this one look like it in the heat map."""


def flow_figures(measured: Sequence[GradientFlow]) -> Iterator[tuple[str, Figure]]:
    """Each figure with its path: the last curve over the time lag, and all of them over epochs.

    Args:
        measured: In the order of epochs; at least one.

    Yields:
        (path such as `figures/gradient_flow.png`, figure).
    """
    yield "figures/gradient_flow.png", _by_lag(measured)
    yield "figures/gradient_flow_epochs.png", _by_epoch(measured)


def _by_lag(measured: Sequence[GradientFlow]) -> Figure:
    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    first, last = measured[0], measured[-1]
    for index, (name, norms) in enumerate(last.norms.items()):
        color = f"C{index}"
        label = f"{name}, after epoch {last.epoch}"
        axes.plot(range(len(norms)), _positive(norms), color=color, label=label)
        if first is not last:
            before = _positive(first.norms[name])
            label = f"after epoch {first.epoch}"
            axes.plot(range(len(before)), before, color=color, alpha=0.4, label=label)
        lag = reach(norms)
        if lag < len(norms):
            axes.axvline(lag, color=color, linestyle=":", label=f"{FALLEN:.0%} at lag {lag}")
    if any(norm > 0 for norms in last.norms.values() for norm in norms):
        axes.set_yscale("log")
    axes.set_xlabel("time lag: steps before the last one read")
    axes.set_ylabel("norm of the loss gradient\nby the state, before clipping")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.set_title("Gradient flow")
    axes.legend()
    return figure


def _by_epoch(measured: Sequence[GradientFlow]) -> Figure:
    names = list(measured[-1].norms)
    figure = Figure(figsize=(2.5 + 3.5 * len(names), 4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    images = []
    for axes, name in zip(panels, names, strict=True):
        shares = np.array([_shares(flow.norms[name]) for flow in measured])
        image = axes.imshow(
            np.log10(shares).T,
            aspect="auto",
            origin="lower",
            interpolation="nearest",
            vmin=np.log10(SMALLEST),
            vmax=2,
        )
        images.append(image)
        shown = np.unique(np.linspace(0, len(measured) - 1, MOST_TICKS).round().astype(int))
        axes.set_xticks(shown, [str(measured[i].epoch) for i in shown])
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_title(name)
    panels[0].set_ylabel("time lag: steps before the last one read")
    figure.colorbar(images[0], ax=panels, label="log10 of the norm, as a share of that at lag 0")
    figure.suptitle("Gradient flow over epochs")
    return figure


def _positive(norms: Sequence[float]) -> list[float]:
    """A logarithmic axis has no zero: such norms are left out."""
    return [norm if norm > 0 else float("nan") for norm in norms]


def _shares(norms: Sequence[float]) -> list[float]:
    return [max(norm / norms[0], SMALLEST) if norms[0] > 0 else SMALLEST for norm in norms]
