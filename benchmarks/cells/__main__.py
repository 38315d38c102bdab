"""How fast are the recurrent layers, beside Keras as it comes, PyTorch and ONNX Runtime?

    python -m benchmarks.cells [--device gpu] [--portable] [--chart docs/cells.svg]

Training steps with Adam and global-norm clipping in float32, and calls of exported models. Every
side is a process of its own; their turns are interleaved (A B C, C B A, ...), and a ratio is the
median over rounds of the ratio within a round. From equal weights, all sides have to find the same
loss and gradient norm, or the same forecasts, before a clock starts; each loss has to fall. The
first turn of each side, with imports, tracing and warm-up, is not counted.

PyTorch and ONNX Runtime live in an environment of their own, `.torch`, made where it is missing.
Writes `benchmarks/out/cells.json` (with `--device gpu`, `cells_gpu.json`), and exits with 1 if a
CPU ratio misses its bound. `--portable` trains on the device, exports, and compares what a process
without a GPU makes of the export.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.cells import chart, devices, portable, torch_environment
from benchmarks.cells.figures import Bound
from benchmarks.cells.measure import measure
from benchmarks.cells.recipes import CORES, Recipe, call_sides, training_sides
from benchmarks.cells.sameness import must_fall
from benchmarks.cells.side import ROOT
from benchmarks.cells.table import WIDTH, bounds, show
from benchmarks.cells.work import CALLS, TRAINING, Call, Work

OUT = ROOT / "benchmarks" / "out"
QUICK = 4
"""Steps of a turn, and the most calls, where only whether it runs is asked."""


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [work.name for work in (*TRAINING, *CALLS)]
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side that count")
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="WORK", help="some of the works"
    )
    parser.add_argument("--sides", nargs="+", metavar="SIDE", help="some of the sides")
    parser.add_argument("--torch", type=Path, default=ROOT / ".torch", help="its environment")
    parser.add_argument("--quick", action="store_true", help="two short rounds; writes nothing")
    parser.add_argument("--portable", action="store_true", help="also: train here, load on a CPU")
    parser.add_argument("--chart", type=Path, help="an SVG to draw of the training works")
    parser.add_argument("--redraw", action="store_true", help="only draw, from the JSON")
    found = parser.parse_args(given)
    if found.redraw and found.chart is None:
        parser.error("--redraw needs --chart FILE")
    if found.rounds < 1:
        parser.error(f"--rounds has to be at least 1, got {found.rounds}")
    return found


def chosen(given: argparse.Namespace) -> list[tuple[Work | Call, tuple[Recipe, ...]]]:
    """The works asked for, each with who does it. Exports run on CPUs: a GPU has no calls."""
    works: list[tuple[Work | Call, tuple[Recipe, ...]]] = [
        (work, training_sides(work, given.device)) for work in TRAINING
    ]
    if given.device == "cpu":
        works += [(call, call_sides(call)) for call in CALLS]
    if given.only:
        works = [(work, sides) for work, sides in works if work.name in given.only]
    if given.sides:
        known = {side.name for _, sides in works for side in sides}
        unknown = sorted(set(given.sides) - known)
        if unknown:
            raise SystemExit(f"unknown sides {unknown}; there are {sorted(known)}")
        works = [(w, tuple(s for s in sides if s.name in given.sides)) for w, sides in works]
    if given.quick:
        works = [(replace(w, turn=min(w.turn, QUICK)), sides) for w, sides in works]
    return [(work, sides) for work, sides in works if sides]


def machine() -> dict[str, Any]:
    """Where this was measured."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {"cpu": model, "cores": CORES, "system": platform.platform(), "load": os.getloadavg()}


def main() -> None:
    """Measures, prints, writes."""
    given, console = arguments(), Console(width=WIDTH)
    out = OUT / ("cells.json" if given.device == "cpu" else "cells_gpu.json")
    if given.redraw:
        chart.draw(json.loads(out.read_text())["works"], given.chart)
        return
    pythons = {
        "own": Path(sys.executable),
        "torch": torch_environment.ensure(given.torch.absolute()),
    }
    if given.device == "gpu":
        reasons = devices.missing(pythons)
        if reasons:
            raise SystemExit("\n".join([*reasons, "nothing was measured"]))
    content: dict[str, Any] = {"device": given.device, "machine": machine(), "works": []}
    asked: list[Bound] = []
    for work, sides in chosen(given):
        with tempfile.TemporaryDirectory() as folder:
            found = measure(
                work,
                sides,
                pythons,
                Path(folder),
                device=given.device,
                rounds=2 if given.quick else given.rounds,
            )
        show(found, console)
        if given.quick:
            continue
        must_fall(found.losses)
        if given.device == "cpu" and not given.sides:
            asked += bounds(found)
        content["works"].append(found.json())
        _write(out, content, asked)
    if given.portable:
        content["portable"] = portable.prove(pythons["own"], given.device, console)
        if not given.quick:
            _write(out, content, asked)
    for bound in asked:
        console.print(bound.line(), highlight=False)
    if given.quick:
        console.print("quick: nothing is written, and no bound is asked")
    elif given.chart is not None:
        chart.draw(content["works"], given.chart)
    held = all(bound.met for bound in asked)
    sys.exit(not (held and content.get("portable", {}).get("met", True)))


def _write(out: Path, content: dict[str, Any], asked: Sequence[Bound]) -> None:
    """After every work: what hours have found is not lost to the next."""
    out.parent.mkdir(exist_ok=True)
    written = {**content, "bounds": [bound.json() for bound in asked]}
    out.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
