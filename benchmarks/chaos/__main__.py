"""Kills runs at random, looks at what is left, and runs again.

    python -m benchmarks.chaos --kills 50 --seed 7     (--quick: no whole run before the kills)

Half of the kills come at a random moment of the run, half while a random component works, so that
short components are hit as well. Every second run has new data. Before each whole run but the
first, the files of one finished artifact are taken away. After each kill: every version
that a model server can see is whole and the live one answers, no lock is held, no artifact of an
unfinished execution is given out. After every tenth kill, and at the end, a run is left to end: it
must succeed, and nothing may be left RUNNING in MLflow or ML Metadata. No file that any of them has
written may hold one of the secrets of the configuration.

Prints a row for each kill; ends with 1 if anything was wrong. Writes `benchmarks/out/chaos.json`.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.chaos import child
from benchmarks.chaos.judge import Judge, answers
from benchmarks.chaos.pipeline import canaries, plant, write_config, write_data

OUT = Path(__file__).parents[1] / "out" / "chaos.json"
BETWEEN = 10
"""Kills between two runs that are left to end."""


def main() -> int:
    """The entry point; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="elman-chaos-"))
    plant()
    child.warm_up()
    chaos = Chaos(folder, random.Random(given.seed))
    try:
        chaos.go(given.kills, quick=given.quick)
    finally:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(chaos.report(), indent=1) + "\n")
    print(chaos.summary())
    if chaos.wrong:
        print(f"kept: {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


class Chaos:
    """One loop of kills and runs on one workspace."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        """Writes the configuration and the first data.

        Args:
            folder: Empty.
            dice: Decides where to kill.
        """
        self.folder = folder
        self.dice = dice
        self.config = write_config(folder)
        self.judge = Judge(folder / "work")
        self.rows: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.spent: dict[str, float] = {}
        self.length = 20.0
        write_data(folder, 0)

    def go(self, kills: int, *, quick: bool = False) -> None:
        """Kills `kills` runs, and leaves some to end in between; the last one is refused."""
        done = starts = 0
        if not quick:
            self._whole("first")
        while done < kills and starts < 3 * kills:  # a run that cannot start is never killed
            starts += 1
            if starts % 2:
                write_data(self.folder, starts)
            ended = child.run(self.config, self.folder, self._when())
            done += ended.killed
            self._note(f"kill {done}" if ended.killed else "ended first", ended)
            if ended.killed and done % BETWEEN == 0 and done < kills:
                self._whole(f"after {done}")
        self._whole("last")
        self._refused()

    def _when(self) -> Callable[[str, float], bool]:
        """Decides when to kill the next run."""
        import time

        if self.dice.random() < 0.5:
            moment = time.monotonic() + self.dice.uniform(0, self.length)
            return lambda _, __: time.monotonic() > moment
        node = self.dice.choice(("start", *child.NODES, "end"))
        wait = self.dice.uniform(0, self.spent.get(node, 1.0))
        return lambda running, spent: running == node and spent >= wait

    def _whole(self, name: str) -> None:
        if artifacts := self.judge.finished():
            folder = Path(self.dice.choice(artifacts))
            shutil.rmtree(folder)
            self.judge.seen.pop(str(folder), None)
            if self.dice.random() < 0.5:
                folder.mkdir()
        ended = child.run(self.config, self.folder)
        found = ended.found or {}
        if found.get("status") != "finished":
            self.wrong.append(f"{name}: the run ended with {found}")
        self._note(f"whole ({name})", ended, whole=True)

    def _refused(self) -> None:
        """A run whose table is not there says so, without the secrets of its URL."""
        ended = child.run(write_config(self.folder, "no_such_table"), self.folder)
        found = ended.found or {}
        text = str(found.get("text"))
        if found.get("status") != "failed" or "no_such_table" not in text:
            self.wrong.append(f"refused: the run ended with {found}")
        self.wrong += canaries(self.folder)

    def _note(self, what: str, ended: child.Ended, *, whole: bool = False) -> None:
        if not ended.killed and len(ended.spent) == len(child.NODES):
            # The machine may be busier, or less busy, than it was.
            self.spent, self.length = ended.spent, ended.seconds
        wrong = self.judge.after_run() if whole else self.judge.after_kill()
        live = self.judge.live()
        if live is not None and (problem := child.call(answers, live, self.folder)):
            wrong.append(f"the live version {live.name} does not answer: {problem}")
        if not ended.killed and (ended.found or {}).get("status") != "finished":
            wrong.append(f"ended with {ended.found}")
        wrong += canaries(self.folder)
        row = {
            "what": what,
            "in": ended.node,
            "seconds": round(ended.seconds, 1),
            "live": live.name if live else None,
            "wrong": wrong,
        }
        self.rows.append(row)
        self.wrong += [f"{what}: {words}" for words in wrong]
        told = "; ".join(wrong) or "all well"
        print(
            f"{what:<18} {ended.node:<14} {ended.seconds:6.1f} s  "
            f"live {row['live'] or '-':<12} {told}",
            flush=True,
        )

    def report(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {"rows": self.rows, "wrong": self.wrong, "kills_by_component": self._hit()}

    def summary(self) -> str:
        """The last lines."""
        hit = ", ".join(f"{node} {n}" for node, n in self._hit().items())
        whole = sum(row["what"].startswith("whole") for row in self.rows)
        return (
            f"kills by component: {hit}\n{whole} runs left to end; "
            f"{len(self.wrong)} things were wrong"
        )

    def _hit(self) -> dict[str, int]:
        hits = Counter(row["in"] for row in self.rows if row["what"].startswith("kill"))
        return {node: hits[node] for node in ("start", *child.NODES, "end") if hits[node]}


if __name__ == "__main__":
    sys.exit(main())
