"""Spans, joined, are what one ordinary ingestion of the same rows makes: Examples and report."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import ingest
from components.ingest.report import IngestReport
from models.errors import BadInputError
from tests.components.spans.cutting import ROLES, WIDE, Night, same, write
from tests.components.spans.cutting import settings as spans

SPLITS = ("train", "validation", "test")
START = pd.Timestamp("2024-01-01")


def one_file(frame: pd.DataFrame, base: Path, data: DataConfig) -> IngestReport:
    write(frame, base / "all.csv")
    plain = data.model_copy(update={"path": "all.csv", "spans": None})
    return ingest(plain, WIDE, ROLES, base, base / "one")


def content(folder: Path) -> dict[str, list[bytes]]:
    return {
        split: [p.read_bytes() for p in sorted((folder / f"Split-{split}").glob("*.parquet"))]
        for split in SPLITS
    }


value = st.one_of(st.none(), st.integers(-5, 5), st.just("nan"))


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, list[int], dict[int, int]]:
    """Rows, the span of each row, and how many versions each span gets before the right one."""
    steps, rows = draw(st.integers(8, 16)), []
    for name in ("a", "b")[: draw(st.integers(1, 2))]:
        # The type of a static covariate shows only over all spans; a value may be missing in some.
        kind = draw(st.sampled_from(["7", "07", "x", *([""] if name == "a" else [])]))
        present = draw(st.lists(st.booleans(), min_size=steps, max_size=steps))
        for step in range(steps):
            if name == "a" or present[step]:
                time = START + pd.Timedelta(hours=step)
                seen = kind if step != 1 else (kind or "7")
                rows.append((str(time), name, draw(value), draw(value), seen))
    rows += draw(st.lists(st.sampled_from(rows), max_size=3))  # what another row says, too
    number = draw(st.integers(1, 4))
    span = [draw(st.integers(0, number - 1)) for _ in rows]
    frame = pd.DataFrame(rows, columns=["t", "id", "y", "x", "k"], dtype=object)
    return frame, span, {n: draw(st.integers(0, 2)) for n in set(span)}


@settings(max_examples=8)
@given(table=tables(), drop=st.booleans())
def test_however_rows_are_cut_the_examples_are_those_of_one_file(
    table: tuple[pd.DataFrame, list[int], dict[int, int]],
    drop: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    base = tmp_path_factory.mktemp("cut")
    frame, span, versions = table
    data = spans(on_bad_rows="drop" if drop else "fail")
    expected = one_file(frame, base, data)
    night = Night(data, base)
    # Each span first arrives in wrong versions, one a night, newest span first.
    for number, wrong in sorted(versions.items(), reverse=True):
        rows = frame[[s == number for s in span]]
        for version in range(wrong):
            write(rows.assign(y=100 + version, k="other"), base / "s" / f"{number}.{version}.csv")
            night.run()
        write(rows, base / "s" / f"{number}.{wrong}.csv")
    done = night.run()
    assert not done.blocked
    assert not same(expected, night.joined())
    assert content(base / "one") == content(base / "work" / "joined")


BAD = [
    (7, "y", "oops"),
    (3, "t", "not a time"),
    (20, "t", "2024-01-01 20:30:00"),
    (25, "x", "inf"),
]


@pytest.mark.parametrize("cuts", [(1, 29), (10, 21, 22)])
def test_bad_rows_are_dropped_as_they_are_from_one_file(
    cuts: tuple[int, ...], tmp_path: Path
) -> None:
    frame = pd.DataFrame(
        {"t": [str(START + pd.Timedelta(hours=h)) for h in range(30)], "id": "a", "y": "1",
         "x": range(30), "k": "c"},
        dtype=object,
    )  # fmt: skip
    for row, column, wrong in BAD:
        frame.loc[row, column] = wrong
    # Three rows of one time: two agree, one contradicts them, in spans of their own.
    frame = pd.concat([frame, frame.iloc[[12, 12]].assign(y=["1", "2"])], ignore_index=True)
    data = spans(on_bad_rows="drop")
    expected = one_file(frame, tmp_path, data)
    edges = [0, *cuts, len(frame)]
    for number, (first, last) in enumerate(pairwise(edges)):
        write(frame[first:last], tmp_path / "s" / f"{number}.0.csv")
    night = Night(data, tmp_path)
    night.run()
    found = night.joined()
    assert not same(expected, found)
    assert found.dropped == {
        "conflicting duplicate": 3,
        "infinite value": 1,
        "time off the grid of the frequency": 1,
        "unparseable number": 1,
        "unparseable time": 1,
    }
    listed = pd.read_csv(tmp_path / "work" / "joined" / "rejects.csv")
    wanted = pd.read_csv(tmp_path / "one" / "rejects.csv")
    assert sorted(listed["reason"]) == sorted(wanted["reason"])


def test_rows_that_contradict_each_other_across_spans_are_named(tmp_path: Path) -> None:
    hours = [str(START + pd.Timedelta(hours=h)) for h in range(20)]
    frame = pd.DataFrame({"t": hours, "id": "a", "y": range(20), "x": 0, "k": "c"})
    write(frame[:10], tmp_path / "s" / "4.0.csv")
    write(pd.concat([frame[10:], frame[9:10].assign(y=5)]), tmp_path / "s" / "5.0.csv")
    night = Night(spans(), tmp_path)
    assert not night.run().blocked
    with pytest.raises(BadInputError, match="conflicting duplicate") as caught:
        night.joined()
    assert "span 4 (s/4.0.csv), kept row" in str(caught.value)
    assert "2024-01-01 09:00:00" in str(caught.value)


def test_a_span_that_contradicts_itself_is_blocked_alone(tmp_path: Path) -> None:
    hours = [str(START + pd.Timedelta(hours=h)) for h in range(20)]
    frame = pd.DataFrame({"t": hours, "id": "a", "y": range(20), "x": 0, "k": "c"})
    write(frame[:10], tmp_path / "s" / "1.0.csv")
    write(pd.concat([frame[10:], frame[12:13].assign(y=5)]), tmp_path / "s" / "2.0.csv")
    night = Night(spans(), tmp_path)
    done = night.run()
    assert list(done.good) == [1]
    assert "conflicting duplicate" in done.blocked[2].error
    assert night.joined().rows_kept == 10


def test_joined_examples_say_which_spans_they_hold(tmp_path: Path) -> None:
    hours = [str(START + pd.Timedelta(hours=h)) for h in range(20)]
    frame = pd.DataFrame({"t": hours, "id": "a", "y": range(20), "x": 0, "k": "c"})
    write(frame[:15], tmp_path / "s" / "1.0.csv")
    write(frame[15:], tmp_path / "s" / "2.3.csv")
    night = Night(spans(), tmp_path)
    night.run()
    night.joined(SplitConfig(validation=4, test=4))
    listed = pd.read_json(tmp_path / "work" / "joined" / "spans.json")
    assert listed[["span", "version", "rows"]].to_numpy().tolist() == [[1, 0, 15], [2, 3, 5]]
    stored = pq.read_table(tmp_path / "work" / "joined" / "Split-test")
    assert [cell[0] for cell in stored["y"].to_pylist()] == [16, 17, 18, 19]
