"""What is printed of a work, and what is asked of it."""

from __future__ import annotations

import statistics

from rich.console import Console
from rich.table import Table

from benchmarks.cells import recipes
from benchmarks.cells.figures import Bound
from benchmarks.cells.measure import Measured

WIDTH = 190
TORCH_BOUNDS: dict[str, tuple[tuple[str, float], ...]] = {
    "LSTM 64": ((recipes.TORCH.name, 1.15),),
    "LSTM 256": ((recipes.TORCH.name, 1.2),),
    "GRU 64": ((recipes.TORCH.name, 2.3),),
    "SimpleRNN 64": ((recipes.TORCH.name, 2.8),),
    "masked BiLSTM 64": ((recipes.PACKED.name, 6.0), (recipes.GATHER.name, 1.8)),
}
"""By training work, how many times as fast as a side of PyTorch Elman's loop has to be."""
KERAS_BOUNDS = {"LSTM 64": 1.8, "GRU 64": 1.8, "masked BiLSTM 64": 1.8}
"""By training work, how many times as fast as Keras."""
LOOP_BOUND = 0.9
"""Share of the bare step's speed that the whole loop has to reach."""
CALL_BOUNDS: dict[str, tuple[tuple[str, str, float], ...]] = {
    "LSTM 64, a call of 1 window": (
        (recipes.ELMAN_CALL.name, recipes.KERAS_CALL.name, 3.0),
        (recipes.ELMAN_ONNX.name, recipes.KERAS_CALL.name, 10.0),
    ),
    "LSTM 64, a call of 256 windows": ((recipes.ELMAN_ONNX.name, recipes.TORCH_CALL.name, 1.3),),
    "LSTM 256, a call of 256 windows": ((recipes.ELMAN_ONNX.name, recipes.TORCH_CALL.name, 1.3),),
    "LSTM 64, one carried step": ((recipes.ELMAN_LITERT.name, recipes.ELMAN_CALL.name, 20.0),),
}
"""By call, how many times as fast as another side a side has to be."""


def references(found: Measured) -> list[str]:
    """The sides that others are compared with: PyTorch's, Keras, and what Elman's own stands for:
    the bare step, or the export beside other engines.
    """
    torch = [
        name
        for name, recipe in found.recipes.items()
        if recipe.python == "torch" and name != recipes.ONNX_CALL.name
    ]
    others = (recipes.KERAS, recipes.KERAS_CALL, recipes.ELMAN_BARE, recipes.ELMAN_CALL)
    return torch + [recipe.name for recipe in others if recipe.name in found.recipes]


def bounds(found: Measured) -> list[Bound]:
    """What is asked of a work that was measured on a CPU."""
    pairs: list[tuple[str, str, float]] = list(CALL_BOUNDS.get(found.name, ()))
    ours = recipes.ELMAN.name
    if found.kind == "training":
        pairs += [(ours, other, bound) for other, bound in TORCH_BOUNDS.get(found.name, ())]
        if found.name in KERAS_BOUNDS:
            pairs.append((ours, recipes.KERAS.name, KERAS_BOUNDS[found.name]))
        pairs.append((ours, recipes.ELMAN_BARE.name, LOOP_BOUND))
    return [
        Bound(f"{found.name}: {a}, times as fast as {b}", found.ratio(a, b), bound)
        for a, b, bound in pairs
    ]


def show(found: Measured, console: Console) -> None:
    """Prints the table of a work, with its recipes below."""
    compared = references(found)
    step = "step" if found.kind == "training" else "call"
    peak = found.peak.median / 1e9
    table = Table(
        "side",
        *(f"x {name}" for name in compared),
        "of the peak",
        f"ms a {step}",
        title=f"{found.name}: times as fast, median (range); peak {peak:.0f} GFLOP/s here",
    )
    for name, seconds in found.seconds.items():
        ratios = ["" if name == other else found.ratio(name, other).text() for other in compared]
        share = f"{100 * found.share(name).median:.1f}%"
        table.add_row(name, *ratios, share, f"{1e3 * seconds.median:.3g}")
    console.print(table)
    for name, recipe in found.recipes.items():
        console.print(f"  {name}: {recipe.words}", highlight=False, soft_wrap=True)
    shares = [share for figure in found.stolen.values() for share in figure.values]
    console.print(
        f"  processor time that others took in these turns: {statistics.mean(shares):.1%}, "
        f"at most {max(shares):.1%}"
    )
    if found.losses:
        falls = (f"{name} {a:.4f} to {b:.4f}" for name, (a, b) in found.losses.items())
        console.print(f"  mean loss of the first turn and the last: {', '.join(falls)}")
