"""A run as a process: what its end means, and how a stop reaches it."""

from __future__ import annotations

import io
import json
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.schedule.outcome import Outcome
from pipeline.schedule.process_job import ProcessJob, outcome
from pipeline.schedule.stop import Stop, stopped_by_signals

PLANNED = datetime(2026, 1, 1, 3, tzinfo=UTC)
HEEDS_CTRL_C = """
import sys, time
print("started", file=sys.stderr, flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("closed what was open", file=sys.stderr, flush=True)
    sys.exit(130)
"""
HEEDS_NOTHING = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("started", file=sys.stderr, flush=True)
time.sleep(60)
"""


class Told(io.StringIO):
    """Sets `event` once the run says that it has started."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def write(self, text: str) -> int:
        if "started" in text:
            self.event.set()
        return super().write(text)


def job(code: str, **options: float) -> tuple[ProcessJob, Told]:
    terminal = Told()
    given = {"grace": 60.0, **options}
    command = [sys.executable, "-c", code]
    return ProcessJob(Path("c.yaml"), terminal=terminal, command=command, **given), terminal


def stopped(code: str, times: int = 1, **options: float) -> tuple[Outcome, str, float]:
    """What a run that is asked to stop once it has started comes to, its words, its seconds."""
    run, terminal = job(code, **options)
    stop = Stop()

    def ask() -> None:
        assert terminal.event.wait(60)
        for _ in range(times):
            stop.ask()

    asking = threading.Thread(target=ask)
    asking.start()
    since = time.monotonic()
    found = run(PLANNED, stop)
    asking.join()
    return found, terminal.getvalue(), time.monotonic() - since


@pytest.mark.parametrize(
    ("code", "said", "words", "expected"),
    [
        (0, {"summary": "Blessed: good."}, [], Outcome("finished", "Blessed: good.")),
        (
            0,
            {"status": "nothing_new", "verdict": "Blessed."},
            [],
            Outcome("nothing_new", "Blessed."),
        ),
        (0, None, [], Outcome("finished", "")),
        (2, None, ["  x 3.0 s\n", "Error: no\n", "rows\n"], Outcome("blocked", "no rows")),
        (1, None, ["Error: disk full\n"], Outcome("failed", "disk full")),
        (
            1,
            {"status": "busy", "reason": "process 7"},
            ["Error: x\n"],
            Outcome("busy", "process 7"),
        ),
        (9, None, [], Outcome("failed", "exit code 9")),
        (1, None, ["Error: OSError: full\n", "a bug\n"], Outcome("failed", "OSError: full a bug")),
        (-signal.SIGSEGV, None, ["odd words"], Outcome("failed", "odd words")),
    ],
)
def test_what_an_end_means(code: int, said: object, words: list[str], expected: Outcome) -> None:
    assert outcome(code, "" if said is None else json.dumps(said), words) == expected


@pytest.mark.parametrize("code", [130, -signal.SIGINT, -signal.SIGKILL])
def test_an_interrupted_run_is_no_failure_of_its_own(code: int) -> None:
    assert outcome(code, "", ["Error: interrupted"]).status == "interrupted"


def test_progress_passes_through_and_the_result_does_not() -> None:
    run, terminal = job(
        "import sys; print('{\"summary\": \"Good.\"}'); print('  ingest 3 s', file=sys.stderr)"
    )
    assert run(PLANNED, Stop()) == Outcome("finished", "Good.")
    assert terminal.getvalue() == "  ingest 3 s\n"


def test_much_output_blocks_nothing() -> None:
    run, _ = job(
        "import json, sys\nsys.stderr.write('x' * 99 + '\\n' * 20_000)\n"
        "print(json.dumps({'summary': 's', 'more': ['y' * 80] * 5_000}, indent=1))"
    )
    assert run(PLANNED, Stop()) == Outcome("finished", "s")


def test_a_stop_lets_a_run_end_within_its_grace() -> None:
    code = (
        "import sys, time; print('started', file=sys.stderr, flush=True); "
        'time.sleep(1); print(\'{"summary": "Done."}\')'
    )
    found, _, _ = stopped(code, grace=60.0)
    assert found == Outcome("finished", "Done.")


def test_after_its_grace_a_run_is_interrupted_as_by_ctrl_c() -> None:
    found, words, seconds = stopped(HEEDS_CTRL_C, grace=0.5)
    assert found.status == "interrupted"
    assert "closed what was open" in words
    assert 0.5 < seconds < 50


def test_a_second_request_does_not_wait_for_the_grace() -> None:
    found, words, seconds = stopped(HEEDS_CTRL_C, times=2, grace=3_600.0)
    assert found.status == "interrupted"
    assert "closed what was open" in words
    assert seconds < 50


def test_what_does_not_heed_is_killed_with_all_it_started() -> None:
    found, _, seconds = stopped(HEEDS_NOTHING, grace=0.0, close=0.5)
    assert found.status == "interrupted"
    assert seconds < 50  # the readers of its pipes have come to an end, so nobody holds them


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_ask_and_are_what_they_were_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    stop = Stop()
    with stopped_by_signals(stop):
        assert not stop.asked
        signal.raise_signal(number)
        assert stop.asked
        assert not stop.now
        signal.raise_signal(number)
        assert stop.now
    assert signal.getsignal(number) is before
