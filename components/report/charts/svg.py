"""A matplotlib figure as inline SVG whose colours follow the page, light or dark."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

INK, SOFT, RULE, GOOD, BAD = "#010203", "#010204", "#010205", "#010206", "#010207"
LINES = ("#010210", "#010211", "#010212", "#010213", "#010214", "#010215")
"""Stand-ins that no drawing has by chance; `inline` puts the page's own colours in their place."""
_VARIABLES = {
    INK: "ink",
    SOFT: "soft",
    RULE: "rule",
    GOOD: "good",
    BAD: "bad",
    **{color: f"line{index}" for index, color in enumerate(LINES)},
}
_SETTINGS: dict[Any, Any] = {
    # Text stays text: it can be read out, searched and copied, and the files are small.
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "legend.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
_FONTS = re.compile(r"font: ([^;\"]*?px) [^;\"]*sans-serif")


def days(seconds: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Unix seconds as matplotlib counts time: in days since 1970."""
    return np.asarray(seconds, np.float64) / 86400


def panels(rows: int = 1, height: float = 2.9, width: float = 8.6) -> tuple[Figure, list[Axes]]:
    """An empty figure with `rows` axes above each other, each `height` inches high."""
    with rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height * rows), layout="constrained")
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(rows, 1, row + 1) for row in range(rows)]
        for one in axes:
            one.grid(alpha=0.6)
            one.set_axisbelow(True)
    return figure, axes


def legend(axes: Axes, columns: int = 4) -> None:
    """Puts the legend above the axes, where it hides no line."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        with rc_context(_SETTINGS):
            axes.legend(
                handles,
                labels,
                loc="lower left",
                bbox_to_anchor=(0, 1),
                ncols=min(columns, len(labels)),
                borderaxespad=0.2,
            )


def logarithmic(axes: Axes) -> None:
    """Makes the vertical axis one; call it when everything is drawn."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    # Powers of ten alone would leave a short axis without a number.
    steps = (1.0,) if high > 1e3 * low else (1.0, 2.0, 5.0)
    axes.yaxis.set_major_locator(LogLocator(subs=steps))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def inline(figure: Figure, key: str, words: str) -> Markup:
    """`figure` as an `<svg>` element.

    Args:
        figure: Drawn with the colours of this module.
        key: Unlike that of every other drawing of the page: ids in it begin with it.
        words: What it shows, for those who cannot see it.
    """
    out, wide = io.StringIO(), round(96 * figure.get_size_inches()[0])
    nothing: dict[str, str | None] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({**_SETTINGS, "svg.hashsalt": key}), warnings.catch_warnings():
        # The page's reader has more fonts than matplotlib, which only measures the letters.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    figure.clear()
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", text, flags=re.S)
    text = re.sub(r'\b(id="|href="#|url\(#)', lambda match: f"{match[1]}{key}-", text)
    text = _FONTS.sub(r"font: \1 sans-serif", text)
    for color, name in _VARIABLES.items():
        text = text.replace(color, f"var(--{name})")
    view = re.search(r'viewBox="[^"]*"', text)
    assert view is not None, "matplotlib always writes a viewBox"
    rest = text[text.index(">") + 1 :]
    label = escape(words)
    return Markup(  # noqa: S704 (matplotlib escapes the texts that it draws)
        f'<svg role="img" aria-label="{label}" {view[0]} style="max-width: {wide}px" '
        f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{rest}'
    )


def line_color(models: Sequence[str], name: str) -> str:
    """The colour of a model's line: that of the candidate and the champion is always the same."""
    fixed = {"candidate": LINES[0], "champion": LINES[4]}
    if name in fixed:
        return fixed[name]
    others = [model for model in models if model not in fixed]
    free = (LINES[1], LINES[2], LINES[3], LINES[5])
    return free[others.index(name) % len(free)]
