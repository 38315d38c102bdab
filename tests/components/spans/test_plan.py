"""Which spans a night takes: new, changed, corrected, blocked, gone, out of range."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from components.spans import listing
from models.errors import BadInputError
from tests.components.spans.cutting import Night, settings, write

DATED = "s/{YYYY}-{MM}-{DD}.v{VERSION}.csv"


def day(number: int, value: object = 1.0) -> pd.DataFrame:
    start = pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)
    times = pd.date_range(start, periods=24, freq="h").astype(str)
    return pd.DataFrame({"t": times, "id": "a", "y": value, "x": 0, "k": "c"})


def put(base: Path, number: int, version: int = 0, value: object = 1.0) -> Path:
    date = pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)
    path = base / "s" / f"{date:%Y-%m-%d}.v{version}.csv"
    write(day(number, value), path)
    return path


@pytest.fixture
def night(tmp_path: Path) -> Night:
    for number in range(4):
        put(tmp_path, number)
    return Night(settings(DATED), tmp_path)


def test_a_second_night_with_the_same_files_does_nothing_and_reads_nothing(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = night.plan().fingerprint
    night.run()
    assert night.ingested == ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]
    read = []
    monkeypatch.setattr(listing, "read_content", lambda path: read.append(path))
    assert night.plan().fingerprint == before
    night.run()
    assert night.ingested == []
    assert read == []


def test_a_touched_file_is_read_once_and_not_ingested(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = night.run().fingerprint
    path = night.base / "s" / "2024-01-02.v0.csv"
    os.utime(path, (1, 1))
    night.run()
    assert night.ingested == []
    assert night.plan().fingerprint == before
    monkeypatch.setattr(listing, "read_content", lambda path: pytest.fail(f"read {path}"))
    night.run()


def test_only_new_and_corrected_spans_are_ingested(night: Night) -> None:
    night.run()
    old = {n: e.uri for n, e in night.plan().good.items()}
    put(night.base, 4)
    put(night.base, 1, version=2, value=9.0)
    changed = night.plan().fingerprint
    done = night.run()
    assert night.ingested == ["2024-01-02 (version 2)", "2024-01-05"]
    assert night.plan().fingerprint == changed
    first, *_ = done.good
    assert [done.good[first + n].uri == old.get(first + n) for n in range(5)] == [
        True, False, True, True, False,
    ]  # fmt: skip
    put(night.base, 1, version=1, value=7.0)  # late, and older than what is there
    night.run()
    assert night.ingested == []


def test_a_file_written_again_in_place_is_a_new_version(tmp_path: Path) -> None:
    night = Night(settings("s/{SPAN:3}.csv"), tmp_path)
    write(day(0), tmp_path / "s" / "007.csv")
    night.run()
    write(day(0, 2.0), tmp_path / "s" / "007.csv")
    done = night.run()
    assert night.ingested == ["7 (version 1)"]
    assert done.good[7].span.version == 1


def test_the_newest_spans_are_kept(tmp_path: Path) -> None:
    for number in (0, 1, 4, 5):
        put(tmp_path, number)
    night = Night(settings(DATED, spans={"keep": 2}), tmp_path)
    night.run()
    assert night.ingested == ["2024-01-05", "2024-01-06"]
    put(tmp_path, 6)
    assert len(night.run().good) == 2
    assert night.ingested == ["2024-01-07"]
    longer = Night(settings(DATED, spans={"keep": 4}), tmp_path)
    assert len(longer.run().good) == 4
    assert longer.ingested == ["2024-01-02"]


def test_a_blocked_span_stays_out_until_it_is_corrected(night: Night) -> None:
    put(night.base, 4, value="oops")
    done = night.run()
    [entry] = done.blocked.values()
    assert "unparseable number" in entry.error
    assert len(done.good) == 4
    again = night.run()
    assert night.ingested == []
    assert again.blocked == done.blocked
    put(night.base, 4, version=1)
    assert not night.run().blocked
    assert night.ingested == ["2024-01-05 (version 1)"]


def test_a_bad_correction_leaves_the_version_before_it_in_use(night: Night) -> None:
    good = night.run().good
    bad = put(night.base, 2, version=1, value="oops")
    done = night.run()
    assert done.good == good
    assert [e.span.title for e in done.blocked.values()] == ["2024-01-03 (version 1)"]
    bad.unlink()  # withdrawn
    done = night.run()
    assert not done.blocked
    assert not done.todo
    assert night.ingested == []


def test_an_edited_schema_gives_a_blocked_span_another_try(night: Night) -> None:
    put(night.base, 4, value="oops")
    night.run()
    (night.base / "schema.pbtxt").write_text("# edited\n")
    night.run()
    assert night.ingested == ["2024-01-05"]


def test_spans_whose_files_are_gone_come_from_their_artifacts(night: Night) -> None:
    before = night.run()
    for path in (night.base / "s").glob("2024-01-0[12]*"):
        path.unlink()
    done = night.run()
    assert done.good == before.good
    assert len(done.gone) == 2
    assert done.fingerprint == before.fingerprint
    other = Night(settings(DATED, null_values=("-",)), night.base)
    assert len(other.run().good) == 2  # read in another way, only what is there can be used


def test_everything_is_ingested_again_when_asked_to(night: Night) -> None:
    night.run()
    night.run(fresh=True)
    assert len(night.ingested) == 4


def test_a_lost_artifact_is_made_again(night: Night) -> None:
    done = night.run()
    first = next(iter(done.good.values()))
    (Path(first.uri) / "report.json").unlink()
    night.run()
    assert night.ingested == ["2024-01-01"]


@pytest.mark.parametrize(
    ("path", "files", "words"),
    [
        ("s/{SPAN}.csv", ["x.csv"], "whole number"),
        ("s/{SPAN}.csv", ["7.csv", "07.csv"], "both span 7"),
        (DATED, ["2024-02-30.v0.csv"], "is no day"),
        (DATED, ["2024-01-01.vb.csv"], "VERSION"),
        ("s/{SPAN}.csv", [], "matches no file"),
    ],
)
def test_files_that_fit_no_span_are_named(
    path: str, files: list[str], words: str, tmp_path: Path
) -> None:
    for name in files:
        write(day(0), tmp_path / "s" / name)
    with pytest.raises(BadInputError, match=words) as caught:
        Night(settings(path), tmp_path).plan()
    assert not files or files[-1].split("-")[0] in str(caught.value)
