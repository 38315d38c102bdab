"""What the contract came to: the end of a test run counts its cases by source file and engine."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from tests.serving.contract.left_out import LEFT_OUT

_PROPERTY = "contract"
_NO_SERVER = "without a server"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notes source file and engine of each case where the report will find them."""
    for item in items:
        for marker in item.iter_markers("contract"):
            (source,) = marker.args
            engine = item.callspec.params.get("engine") if hasattr(item, "callspec") else None
            item.user_properties.append((_PROPERTY, (source, engine or _NO_SERVER)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table, if a case of the contract ran."""
    ran: Counter[tuple[str, str]] = Counter()
    passed: Counter[tuple[str, str]] = Counter()
    for outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed"):
        for report in terminalreporter.stats.get(outcome, []):
            # A case that fails on its way in or out is an error, and has no report of a call.
            for name, value in getattr(report, "user_properties", ()):
                if name == _PROPERTY and (report.when == "call" or outcome != "passed"):
                    ran[tuple(value)] += 1
                    passed[tuple(value)] += outcome == "passed"
    if not ran:
        return
    terminalreporter.section("TF Serving contract")
    width = max(len(source) for source, _ in ran)
    for source, engine in sorted(ran):
        key = (source, engine)
        line = f"{source:<{width}}  {passed[key]:>3} of {ran[key]:>3} passed ({engine})"
        terminalreporter.write_line(line, green=passed[key] == ran[key], red=passed[key] < ran[key])
    terminalreporter.write_line(f"in all {sum(passed.values())} of {sum(ran.values())}")
    left_out = sum(source in {s for s, _ in ran} for source, _ in LEFT_OUT)
    terminalreporter.write_line(
        f"{left_out} cases of these files do not apply; tests/serving/contract/left_out.py says why"
    )
    if not shutil.which("tensorflow_model_server"):
        terminalreporter.write_line(
            "tensorflow_model_server is not on the PATH: only the embedded server was held to it"
        )
