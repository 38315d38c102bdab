"""What `elman check` and `elman status` say of spans."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from components.notify.event import Event
from components.spans.reading import Terms
from components.spans.span import Span
from components.spans.state import Entry, SpanState
from components.spans.summary import BlockedSpan, SpansSummary
from models.errors import BadInputError
from pipeline.cli.preview import preview
from pipeline.cli.preview_table import table
from pipeline.cli.status import status
from pipeline.config import LoadedConfig, load
from pipeline.runner.announce import spans_event

CONFIG = """
name: a
workspace: work
data: {path: 'd/{YYYY}{MM}{DD}.csv', time: t, frequency: h, spans: {keep: 5, on_blocked: skip}}
targets: [y]
window: {lookback: 5, horizon: 2}
split: {validation: 10, test: 10}
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedConfig:
    (tmp_path / "c.yaml").write_text(CONFIG)
    for number in (0, 1, 2, 4):
        write(tmp_path, number)
    return load(tmp_path / "c.yaml")


def write(base: Path, number: int, value: object = 1.0) -> None:
    start = pd.Timestamp("2024-03-01") + pd.Timedelta(days=number)
    (base / "d").mkdir(exist_ok=True)
    frame = pd.DataFrame({"t": pd.date_range(start, periods=24, freq="h"), "y": value})
    frame.to_csv(base / "d" / f"{start:%Y%m%d}.csv", index=False)


def entry(loaded: LoadedConfig, number: int, error: str = "") -> Entry:
    data = loaded.forecast.data
    terms = Terms.of(data, loaded.forecast.roles, loaded.schema_path)
    day = pd.Timestamp("2024-03-01") + pd.Timedelta(days=number)
    return Entry(
        span=Span(
            number=(day - pd.Timestamp(0)).days,
            version=0,
            label=f"{day:%Y-%m-%d}",
            content=f"content {number}",
        ),
        settings=terms.settings,
        code=terms.code,
        schema_digest="",
        error=error,
        run_id=f"run-{number}",
    )


def test_check_names_spans_that_are_new_missing_and_blocked(loaded: LoadedConfig) -> None:
    write(loaded.folder, 5, "oops")
    found = preview(loaded)
    assert found.spans is not None
    assert found.spans.count == 4
    assert (found.spans.first, found.spans.last) == ("2024-03-01", "2024-03-05")
    assert found.spans.missing == ("2024-03-04",)
    assert [one.label for one in found.spans.blocked] == ["2024-03-06"]
    assert found.kept == 4 * 24
    assert found.holes_splitting == 1
    shown = [str(cell) for cell in table(found, "c.yaml").columns[1].cells]
    assert any("missing: 2024-03-04; blocked: 2024-03-06" in text for text in shown)
    assert any("unparseable number" in text for text in shown)
    assert not loaded.workspace.exists()


def test_check_refuses_where_every_span_is_bad(loaded: LoadedConfig) -> None:
    for number in (0, 1, 2, 4):
        write(loaded.folder, number, "oops")
    with pytest.raises(BadInputError, match="unparseable number"):
        preview(loaded)


def test_status_says_what_was_ingested_and_what_waits(loaded: LoadedConfig) -> None:
    state = SpanState()
    for number in (0, 1):
        state = state.noted(entry(loaded, number))
    state = state.noted(entry(loaded, 2, "the data breaks its schema (1 anomaly):\n  y: all gone"))
    state.save(loaded.workspace, "a")
    shown = CliRunner().invoke(status, [str(loaded.path)])
    assert shown.exit_code == 0, shown.output
    assert "Spans: 2 good, the newest 2024-03-02 (run run-1)" in shown.output
    assert "waiting for a run: 2024-03-05" in shown.output
    assert "missing: 2024-03-04" in shown.output
    assert "blocked: 2024-03-03: the data breaks its schema (1 anomaly): y: all gone" in " ".join(
        shown.output.split()
    )
    as_json = CliRunner().invoke(status, ["--json", str(loaded.path)])
    assert json.loads(as_json.output)["spans"]["waiting"] == ["2024-03-05"]


def test_hooks_hear_of_blocked_spans_every_night() -> None:
    spans = SpansSummary(count=3, first="1", last="3")
    assert spans_event("a", spans) is None
    assert spans_event("a", None) is None
    blocked = spans.model_copy(
        update={"blocked": (BlockedSpan(label="4", reason="bad rows"),), "blocked_count": 1}
    )
    event = spans_event("a", blocked.unchanged())
    assert isinstance(event, Event)
    assert event.kind == "blocked"
    assert "4: bad rows" in event.text
