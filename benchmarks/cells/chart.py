"""The chart of the training works, drawn from the JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cells import recipes

BARS = (
    (recipes.KERAS.name, "Keras as it comes", "#9aa5b1"),
    (recipes.ELMAN.name, "Elman, whole training loop", "#1f6feb"),
)


def reference(sides: dict[str, Any]) -> str:
    """The side of PyTorch that is 1: packed sequences where there is a mask."""
    return recipes.PACKED.name if recipes.PACKED.name in sides else recipes.TORCH.name


def draw(works: Sequence[dict[str, Any]], path: Path) -> None:
    """Writes an SVG of how many times as fast as PyTorch each side trains.

    Args:
        works: As `Measured.json` gives them; those of calls are passed over.
        path: Where to.

    Raises:
        ValueError: If there is no training work among them.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    training = [work for work in works if work["kind"] == "training"]
    if not training:
        raise ValueError("there is no training work to draw; run one first")
    # No date and no random ids: an unchanged result gives an unchanged file.
    with mpl.rc_context({"svg.hashsalt": "elman", "font.size": 10}):
        figure, axes = plt.subplots(figsize=(8, 0.9 + 0.75 * len(training)), layout="constrained")
        height = 0.38
        for index, (name, label, colour) in enumerate(BARS):
            found = [
                work["sides"][name]["times_as_fast_as"][reference(work["sides"])]
                for work in training
            ]
            at = [row + (index - 0.5) * height for row in range(len(training))]
            medians = [f["median"] for f in found]
            low = [f["median"] - f["min"] for f in found]
            high = [f["max"] - f["median"] for f in found]
            bars = axes.barh(
                at, medians, height, xerr=[low, high], color=colour, label=label, capsize=2
            )
            axes.bar_label(bars, [f"{m:.2f}" for m in medians], padding=4)
        axes.axvline(1, color="black", linewidth=1)
        axes.set_yticks(range(len(training)), [work["name"] for work in training])
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("times as fast as PyTorch eager (masked: packed sequences); bars: range")
        axes.legend(loc="best", frameon=False)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})
        plt.close(figure)
