"""Nights of spans with TFX, without training, and TFX's own resolution; prints what happened.

TFX takes long to import, so all of it is one process; see `test_spans_with_tfx.py`.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfx.components.example_gen import utils
from tfx.proto import example_gen_pb2, range_config_pb2

from components.spans.listing import list_spans
from components.tracking.recorder import SilentRecorder
from models.errors import BadInputError
from pipeline.config import load
from pipeline.graph import assemble
from pipeline.runner import launch
from pipeline.runner.display import TerminalDisplay
from pipeline.runner.spans import ingest_spans
from pipeline.span_dag import joined

PATTERNS = [
    "data/{SPAN}.csv",
    "data/{SPAN:3}-{VERSION:2}.csv",
    "s{SPAN}/v{VERSION}/part-?.csv",
    "{YYYY}-{MM}-{DD}/*.csv",
    "{YYYY}{MM}{DD}.{VERSION}.csv",
    "d/{SPAN:2}{VERSION}.csv",
]
WRONG = [
    "{SPAN}{SPAN}.csv",
    "{VERSION}.csv",
    "{YYYY}-{MM}.csv",
    "{SPAN}-{YYYY}{MM}{DD}.csv",
    "{SPAN:x}.csv",
    "{SPAN}/{VERSION}{VERSION}.csv",
    "{SPAN:0}.csv",
]
FOREIGN = ["data/x.csv", "data/1.csv.csv", "sx/v1/part-1.csv", "2024-13-01/a.csv", "d/ab3.csv"]


def tree(base: Path, pattern: str, random_: random.Random) -> None:
    """Files of a few spans and versions."""
    for _ in range(random_.randint(1, 6)):
        span, version = random_.randint(0, 40), random_.randint(0, 12)
        name = utils.get_pattern_for_span_version(
            pattern, "{SPAN" in pattern, "{YYYY}" in pattern, "{VERSION" in pattern, span, version
        )
        path = base / name.replace("?", random_.choice("ab")).replace("*", random_.choice("ab"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{span} {version}")
    if random_.random() < 0.3:
        path = base / random_.choice(FOREIGN)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("foreign")


def theirs(base: Path, pattern: str, span: int | None) -> tuple[int, int | None, list[str]]:
    """What TFX resolves: a given span, or the newest."""
    split = example_gen_pb2.Input.Split(name="a", pattern=pattern)
    range_ = None
    if span is not None:
        range_ = range_config_pb2.RangeConfig(
            static_range=range_config_pb2.StaticRange(start_span_number=span, end_span_number=span)
        )
    _, number, version = utils.calculate_splits_fingerprint_span_and_version(
        str(base), [split], range_
    )
    return number, version, sorted(str(p) for p in base.glob(split.pattern))


def compare(root: Path) -> dict[str, Any]:
    """How often our listing and TFX's resolution agreed."""
    random_, found = random.Random(7), {"same": 0, "refused": 0, "different": []}
    for case in range(60):
        pattern, base = PATTERNS[case % len(PATTERNS)], root / f"tree-{case}"
        tree(base, pattern, random_)
        try:
            listed = list_spans(pattern, base)
        except BadInputError:
            listed = None
        try:
            newest = theirs(base, pattern, None)
        except ValueError:
            newest = None
        if listed is None or newest is None:
            agree = (listed is None) == (newest is None)
            found["refused"] += agree
        else:
            ours = {n: (n, s.version, [str(p) for p in s.paths]) for n, s in listed.items()}
            agree = ours == {n: theirs(base, pattern, n) for n in listed}
            agree &= ours[max(ours)] == newest
            found["same"] += agree
        if not agree:
            found["different"].append([pattern, str(base)])
    for pattern in WRONG:
        for refuses in (
            lambda p: list_spans(p, root),
            lambda p: utils.verify_split_pattern_specs(
                example_gen_pb2.Input.Split(pattern=p)
            ) and utils._get_spec_width(utils.SPAN_FULL_REGEX, "span",
                                        example_gen_pb2.Input.Split(pattern=p)),
        ):  # fmt: skip
            try:
                refuses(pattern)
                found["different"].append([pattern, "not refused"])
            except ValueError:
                pass
    return found


class Tracker:
    """Listens to nothing."""

    recorder = SilentRecorder()

    @contextmanager
    def component(self, node_id: str) -> Iterator[SilentRecorder]:
        yield self.recorder


class Killed(BaseException):
    """As if the process had died."""


class Killer(TerminalDisplay):
    """Kills the run when the first span is done."""

    def starting(self, node: str, position: int, total: int) -> None:
        if position == 2:
            raise Killed


def night(root: Path, number: int, change: dict[str, str | None]) -> dict[str, Any]:
    """Applies `change` (file name to content), runs the spans and what joins them.

    With a key `kill` in `change`, the run is killed after its first span.
    """
    kill = "kill" in change
    change.pop("kill", None)
    for name, text in change.items():
        path = root / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    loaded = load(root / "c.yaml")
    loaded.workspace.mkdir(exist_ok=True)
    terminal = io.StringIO()
    display, tracker = (Killer if kill else TerminalDisplay)(terminal), Tracker()
    answer: dict[str, Any] = {"error": None}
    try:
        spans = ingest_spans(loaded, f"run-{number}", tracker, display, use_cache=True)
    except BadInputError as error:
        return {"error": str(error)}
    except Killed:
        return {"error": "killed"}
    finally:
        answer["said"] = terminal.getvalue()
    answer["summary"] = spans.summary.model_dump(mode="json")
    answer["uris"] = {str(e.span.number): e.uri for e in spans.entries}
    pipeline = assemble(loaded, [*joined(loaded, spans.entries)])
    for outcome in launch.launch(
        pipeline, run_id=f"run-{number}", around=tracker.component, display=display
    ):
        answer[outcome.node] = {
            "cached": outcome.cached,
            "outputs": {key: str(path) for key, path in outcome.outputs.items()},
        }
    return answer


if __name__ == "__main__":
    where = Path(sys.argv[1])
    nights = json.loads((where / "nights.json").read_text())
    answers = [night(where, number, change) for number, change in enumerate(nights)]
    written = {"nights": answers, "resolution": compare(where / "trees")}
    (where / "answers.json").write_text(json.dumps(written))
    # Beam and ML Metadata keep threads that delay a normal exit.
    os._exit(0)
