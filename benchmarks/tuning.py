"""Does tuning find better values than a person wrote, and does it survive being killed?

    python -m benchmarks.tuning [--quick] [--parallel N]

Weekly CO2 at Mauna Loa (`examples/co2.yaml`). First the network of the file is trained with the
file's own values. Then Bayesian optimisation runs 20 trials over width, rate, clipping, lookback
and normalisation, without being told the file's values (`try_config: false`). The search is a
process of its own; once 10 trials are finished and another one runs it is killed (SIGKILL), and
started again. All networks are judged by the validation loss of their best epoch, on the same
windows. `--quick` takes a small network, a lookback of 26 weeks and 4 epochs.

Writes `benchmarks/out/tuning.json`; ends with 1 if a claim does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.forecasts import moments, windows
from components.tracking.recorder import SilentRecorder
from components.tune.candidate import Candidate
from components.tune.config import TuneConfig
from components.tune.judging import longest_lookback
from components.tune.result import shown
from components.tune.state import SearchState
from components.tune.train_trial import TrainTrial
from components.tune.trial import Order, Outcome
from components.tune.tune import tune_forecaster
from components.tune.workers import Workers
from models.windows.store import SeriesStore
from pipeline.config import load

OUT = Path(__file__).parent / "out" / "tuning.json"
EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "co2.yaml"
TRIALS, KILLED_AFTER = 20, 10
QUICK = {"model.units": [16], "window.lookback": 26, "train.epochs": 4}
SPACE = {
    "model.units": [[16], [32], [64], [32, 32]],
    "model.normalize": ["window", "standard"],
    "train.learning_rate": {"min": 3.0e-4, "max": 3.0e-2, "scale": "log"},
    "train.clip.global_norm": {"min": 0.1, "max": 10.0, "scale": "log"},
    "window.lookback": {"min": 26, "max": 156, "step": 26},
}
QUICK_SPACE = {
    **SPACE,
    "model.units": [[8], [16], [32]],
    "window.lookback": {"min": 13, "max": 65, "step": 13},
}


def main() -> int:
    """Runs the benchmark, or in a process of its own one start of the search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    base, tune = _task(given.quick, given.parallel)
    if given.search is not None:
        _search(given.search, base, tune)
        return 0
    with tempfile.TemporaryDirectory(prefix="elman-tuning-") as folder:
        work = Path(folder)
        windows(load(EXAMPLE), work)
        by_hand = _by_hand(work, base, tune)
        print(f"by hand: validation loss {by_hand:.6g}", flush=True)
        started = _until_killed(work, given)
        before = SearchState.load(work / "search")
        again = _start(work, given)
        if again.wait() != 0:
            raise SystemExit("the search failed when it was started again")
        return _report(work, by_hand, started, before, given.quick)


def _task(quick: bool, parallel: int) -> tuple[Candidate, TuneConfig]:
    config = load(EXAMPLE).forecast
    base = Candidate(window=config.window, model=config.model, train=config.train)
    tune = TuneConfig.model_validate(
        {
            "space": QUICK_SPACE if quick else SPACE,
            "max_trials": TRIALS,
            "parallel": parallel,
            "try_config": False,
        }
    )
    return base.with_values(QUICK if quick else {}), tune


def _by_hand(work: Path, base: Candidate, tune: TuneConfig) -> float:
    run = TrainTrial(
        windows=work / "windows",
        scaling=moments(SeriesStore.load(work / "windows")).canonical_json(),
        base=base.canonical_json(),
        widest=longest_lookback(base.window, tune),
        folder=work / "by-hand",
    )
    workers = Workers(run, 1)
    workers.start(0, Order("0", {}))
    while True:
        for event in workers.wait(None):
            if isinstance(event, Outcome):
                workers.close()
                if event.val_loss is None:
                    raise SystemExit(f"the file's own values: {event.message}")
                return event.val_loss


def _start(work: Path, given: argparse.Namespace) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.tuning", "--search", str(work)]
    command += ["--parallel", str(given.parallel), *(["--quick"] if given.quick else [])]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(EXAMPLE.parent.parent)})


def _search(work: Path, base: Candidate, tune: TuneConfig) -> None:
    scaling = moments(SeriesStore.load(work / "windows"))
    recorder = SilentRecorder()
    tune_forecaster(work / "windows", scaling, base, tune, work / "search", recorder=recorder)


def _until_killed(work: Path, given: argparse.Namespace) -> list[int]:
    """Starts the search and kills it after some trials; the ids of its processes."""
    process = _start(work, given)
    while not _in_a_later_trial(SearchState.load(work / "search")):
        if process.poll() is not None:
            raise SystemExit(f"the search ended with {process.returncode} before it was killed")
        time.sleep(0.2)
    processes = [process.pid, *_children(process.pid)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    return processes


def _in_a_later_trial(state: SearchState) -> bool:
    return state.count("completed") >= KILLED_AFTER and state.count("running") > 0


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def _alive(pids: list[int]) -> list[int]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.2)
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def _report(
    work: Path, by_hand: float, processes: list[int], before: SearchState, quick: bool
) -> int:
    state = SearchState.load(work / "search")
    finished = {r.id: r for r in before.records.values() if r.status != "running"}
    kept = all(state.records[name] == record for name, record in finished.items())
    rerun = [r.id for r in state.records.values() if r.starts > 1]
    run_later = [r.id for r in state.records.values() if r.id not in finished]
    losses = {r.id: r.val_loss for r in state.records.values() if r.val_loss is not None}
    best = state.records[min(losses, key=lambda name: losses[name] or 0.0)]
    left = _alive(processes)
    for record in state.records.values():
        values = ", ".join(f"{k.partition('.')[2]} {shown(v)}" for k, v in record.values.items())
        when = "before the kill" if record.id in finished else "after it"
        loss = "failed" if record.val_loss is None else f"{record.val_loss:.6g}"
        print(f"trial {record.id}  {loss:>12}  {record.seconds:6.1f} s  {when:<15}  {values}")
    assert best.val_loss is not None
    claims = {
        f"best of {TRIALS} trials ({best.val_loss:.6g}) is at least as good as by hand "
        f"({by_hand:.6g})": best.val_loss <= by_hand,
        f"killed after {len(finished)} trials, {len(run_later)} of {TRIALS} were run after it": (
            len(finished) + len(run_later) == TRIALS and len(finished) >= KILLED_AFTER
        ),
        "no finished trial was run again": kept and not set(rerun) & set(finished),
        f"the interrupted one was run again ({', '.join(rerun) or 'none was running'})": all(
            before.records[name].status == "running" for name in rerun
        ),
        "no process of the killed search was left": not left,
    }
    for text, holds in claims.items():
        print(f"{'yes' if holds else 'NO ':<4} {text}")
    data: dict[str, Any] = {
        "quick": quick,
        "by_hand": by_hand,
        "best": best.model_dump(mode="json"),
        "better_than_by_hand": sum(loss <= by_hand for loss in losses.values() if loss is not None),
        "seconds": round(state.seconds, 1),
        "finished_before_the_kill": len(finished),
        "run_after_it": len(run_later),
        "claims": claims,
        "trials": [record.model_dump(mode="json") for record in state.records.values()],
    }
    OUT.write_text(json.dumps(data, indent=1) + "\n")
    return 0 if all(claims.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
