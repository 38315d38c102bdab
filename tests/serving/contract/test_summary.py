"""The table at the end of a test run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.serving.contract import summary


def report(source: str, engine: str, when: str = "call") -> Any:
    properties = [("contract", (source, engine)), ("something else", 1)]
    return SimpleNamespace(user_properties=properties, when=when)


class Reporter:
    """As much of pytest's as the table needs."""

    def __init__(self, **stats: list[Any]) -> None:
        self.stats = stats
        self.lines: list[str] = []

    def section(self, title: str) -> None:
        self.lines.append(title)

    def write_line(self, line: str, **markup: bool) -> None:
        self.lines.append(" ".join(line.split()))


def test_cases_are_counted_by_source_and_engine() -> None:
    reporter = Reporter(
        passed=[report("a.cc", "embedded"), report("a.cc", "embedded"), report("b.py", "tf")],
        failed=[report("a.cc", "embedded")],
        error=[report("b.py", "tf", "setup")],
    )
    summary.pytest_terminal_summary(reporter)  # type: ignore[arg-type]
    assert reporter.lines[:4] == [
        "TF Serving contract",
        "a.cc 2 of 3 passed (embedded)",
        "b.py 1 of 2 passed (tf)",
        "in all 3 of 5",
    ]


def test_without_a_case_there_is_no_table() -> None:
    reporter = Reporter(passed=[SimpleNamespace(user_properties=[], when="call")])
    summary.pytest_terminal_summary(reporter)  # type: ignore[arg-type]
    assert reporter.lines == []
