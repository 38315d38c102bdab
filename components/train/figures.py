"""Figures of a training, drawn without a display."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.train.flow_figures import flow_figures
from models.training.config import FittingConfig
from models.training.gradient_flow.flow import GradientFlow
from models.training.history import TrainingHistory


def figures(
    history: TrainingHistory, config: FittingConfig, unit: str
) -> Iterator[tuple[str, Figure]]:
    """Each figure with its path: the loss curve, the gradient norm before clipping, and, where it
    was measured, gradient flow.

    Args:
        history: Of a finished training.
        config: What was asked for.
        unit: Of the loss, in words.

    Yields:
        (path such as `figures/loss.png`, figure).
    """
    yield "figures/loss.png", _loss(history, unit)
    yield "figures/gradient_norm.png", _gradient_norm(history, config)
    if history.gradient_flow:
        yield from flow_figures([GradientFlow.from_json(flow) for flow in history.gradient_flow])


def _loss(history: TrainingHistory, unit: str) -> Figure:
    figure, axes, epochs = _axes(history)
    axes.plot(epochs, history.epochs["loss"], marker=".", label="train")
    axes.plot(epochs, history.epochs["val_loss"], marker=".", label="validation")
    axes.axvline(
        history.best_epoch, color="0.6", linestyle="--", label=f"best epoch {history.best_epoch}"
    )
    axes.set_ylabel(unit)
    axes.set_title("Loss")
    axes.legend()
    return figure


def _gradient_norm(history: TrainingHistory, config: FittingConfig) -> Figure:
    figure, axes, epochs = _axes(history)
    axes.plot(epochs, history.epochs["gradient_norm"], marker=".", label="mean of the epoch")
    axes.plot(epochs, history.epochs["gradient_norm_max"], marker=".", label="largest")
    if config.clip is not None and config.clip.global_norm is not None:
        axes.axhline(config.clip.global_norm, color="0.6", linestyle="--", label="clipped above")
    if min(history.epochs["gradient_norm"]) > 0:
        axes.set_yscale("log")
    axes.set_ylabel("global gradient norm before clipping")
    axes.legend(loc="upper left")
    if config.clip is not None:
        right = axes.twinx()
        right.plot(epochs, history.epochs["clipped_share"], color="C3", alpha=0.6)
        right.set_ylim(-0.02, 1.02)
        right.set_ylabel("share of clipped steps", color="C3")
    axes.set_title("Gradient norm")
    return figure


def _axes(history: TrainingHistory) -> tuple[Figure, Any, range]:
    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    return figure, axes, range(1, history.epochs_run + 1)
