"""Does it run for months? Ninety nights of a transformer's load, with what nights bring.

    python -m benchmarks.quarter [--nights 90] [--folder FOLDER]

The scheduler's own loop on a fast clock starts the pipeline at three o'clock of each day: a span
arrives each day, sometimes late, wrong, missing or with another column; the level of the series
shifts; one night the tracking server is away, one night the run is killed. Prints a line for each
night as it ends. The error of a day is that of the model that was live on it, asked as a client
asks, 24 hours ahead, beside the seasonal naive of a day.

Writes `benchmarks/out/quarter.json`, and exits with 1 if a night was not as it should be, the live
model's error is not below the seasonal naive's, or the last nights cost more than 1.5 times those
around the tenth.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from rich.console import Console

from benchmarks.quarter import feed
from benchmarks.quarter.config import CRON, write_config
from benchmarks.quarter.judge import judge
from benchmarks.quarter.night import FastClock, Nights
from benchmarks.quarter.tracking import TrackingServer

OUT = Path(__file__).parent.parent / "out" / "quarter.json"


def warm() -> None:
    """Imports what a run imports; nothing of it is used before the nights are forked."""
    import mlflow.artifacts
    import tensorflow as tf

    import components.tracking.session
    import pipeline.dag
    import pipeline.runner.execute
    import pipeline.runner.spans

    del mlflow, tf, components, pipeline


def line(row: dict[str, Any]) -> str:
    """A night in one line."""
    spans = row.get("spans") or {}
    error, naive = row.get("error"), row.get("naive")
    errors = f"{error:7.2f} {naive:7.2f}" if error is not None else " " * 15
    did = "held" if row.get("held") else "trained" if row.get("trained") else "-"
    pushed = row.get("pushed") or ""
    arrived = " ".join(row["arrived"]) or "nothing"
    return (
        f"{row['night']:3} {arrived:16} new {spans.get('new_count', 0):2} "
        f"bad {spans.get('blocked_count', 0)} gaps {spans.get('missing_count', 0)} "
        f"{row['status']:12} {did:8} {pushed!s:11} {errors} {row['seconds']:5.0f} s  "
        f"{row['event'] or row['text'][:70]}"
    )


def main() -> None:
    """Runs the nights, prints the ledger, writes the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=int, default=feed.NIGHTS)
    parser.add_argument("--folder", type=Path, help="kept; the default is not")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        rows, runs = _nights(folder, given.nights)
    whole = given.nights >= feed.NIGHTS
    findings = judge(rows, runs, whole=whole)
    Console().print()
    for finding in findings:
        print(("as asked   " if finding.met else "NOT MET    ") + finding.text)
    if whole:
        OUT.parent.mkdir(exist_ok=True)
        content = {
            "nights": rows,
            "runs": runs,
            "findings": [vars(finding) for finding in findings],
        }
        OUT.write_text(json.dumps(content, indent=1) + "\n")
    sys.exit(not all(finding.met for finding in findings))


def _nights(folder: Path, count: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
    from pipeline.schedule.config import ScheduleConfig
    from pipeline.schedule.loop import Scheduler
    from pipeline.schedule.state import StateFile
    from pipeline.schedule.stop import Stop
    from pipeline.schedule.timetable import Timetable

    server = TrackingServer(folder / "mlflow")
    config = write_config(folder, server.uri)
    source = feed.Feed(folder, feed.load())
    source.history()
    workspace = folder / "work"
    workspace.mkdir(exist_ok=True)
    warm()
    server.start()
    try:
        nights = Nights(source, config, server, lambda row: print(line(row), flush=True), count)
        start = datetime.combine(feed.FIRST + timedelta(days=1), time(), UTC)
        scheduler = Scheduler(
            timetable=Timetable(ScheduleConfig(cron=CRON), seed="quarter"),
            clock=FastClock(start),
            job=nights,
            state=StateFile(workspace),
            stop=Stop(),
            say=lambda _: None,
        )
        scheduler.run()
        return nights.rows, server.statuses()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
