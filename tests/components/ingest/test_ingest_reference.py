"""Ingestion against pandas: read, drop duplicates, sort, split; whatever the format and order."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import content_fingerprint, ingest
from components.ingest.report import IngestReport
from models.roles import Covariates, Roles

SPLITS = ("train", "validation", "test")


def read_examples(out: Path) -> dict[str, pd.DataFrame]:
    """The Examples as frames by split, one value per cell."""
    frames = {}
    for split in SPLITS:
        tables = [pq.read_table(p) for p in sorted((out / f"Split-{split}").glob("*.parquet"))]
        columns: dict[str, list[object]] = {}
        for table in tables:
            for name in table.column_names:
                cells = table[name].to_pylist()
                assert all(cell is None or len(cell) == 1 for cell in cells)
                columns.setdefault(name, []).extend(c[0] if c is not None else None for c in cells)
        frames[split] = pd.DataFrame(columns)
    return frames


def frame(rows: int = 40, series: tuple[str, ...] = ("a", "b"), seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    parts = []
    for name in series:
        values = random.normal(size=(rows, 2)).round(4)
        part = pd.DataFrame(values, columns=["x", "y"])
        part.insert(0, "when", pd.date_range("2024-01-01", periods=rows, freq="h"))
        part.insert(0, "id", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def config(path: str, **more: object) -> DataConfig:
    return DataConfig.model_validate(
        {"path": path, "time": "when", "series": "id", "frequency": "h", **more}
    )


ROLES = Roles(targets=("y", "x"))


@settings(max_examples=25, deadline=None)
@given(
    data=st.data(),
    series=st.integers(1, 3),
    steps=st.integers(8, 30),
    parts=st.integers(1, 3),
)
def test_rows_are_those_of_pandas(
    data: st.DataObject,
    series: int,
    steps: int,
    parts: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tmp_path = tmp_path_factory.mktemp("ingest")
    value = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32))
    rows = []
    for s in range(series):
        present = data.draw(st.lists(st.booleans(), min_size=steps, max_size=steps))
        # The first series has every step, so that the grid is known.
        rows += [
            (f"s{s}", step, data.draw(value), data.draw(value))
            for step in range(steps)
            if s == 0 or present[step]
        ]
    extra = data.draw(st.lists(st.sampled_from(rows), max_size=5))
    shuffled = data.draw(st.permutations(rows + extra))
    table = pd.DataFrame(shuffled, columns=["id", "step", "x", "y"])
    table["when"] = pd.Timestamp("2024-03-01") + pd.to_timedelta(table.pop("step"), unit="h")
    for i, piece in enumerate(np.array_split(np.arange(len(table)), parts)):
        table.iloc[piece].to_csv(tmp_path / f"p{i}.csv", index=False)

    report = ingest(config("p*.csv"), SplitConfig(), ROLES, tmp_path, tmp_path / "out")

    expected = table.drop_duplicates().sort_values(["id", "when"]).reset_index(drop=True)
    time = expected["when"].to_numpy().astype("datetime64[s]").astype(np.int64)
    validation, test = int(steps * 15 // 100), int(steps * 15 // 100)
    start = int(time.min())
    edges = [start + 3600 * (steps - test - validation), start + 3600 * (steps - test)]
    assert report.boundaries == (start, *edges, start + 3600 * steps)
    assert report.exact_duplicates == len(table) - len(expected)
    assert report.rows_read == len(table)
    assert report.series == expected["id"].nunique()
    got = read_examples(tmp_path / "out")
    side = np.searchsorted(edges, time, side="right")
    for i, split in enumerate(SPLITS):
        mine, theirs = got[split], expected[side == i].reset_index(drop=True)
        assert report.split_rows[split] == len(theirs) == len(mine)
        assert [s.decode() for s in mine["series"]] == theirs["id"].tolist()
        assert mine["time"].tolist() == time[side == i].tolist()
        for column in ("x", "y"):
            np.testing.assert_array_equal(
                mine[column].to_numpy(np.float32), theirs[column].to_numpy(np.float32)
            )
    assert report.missing == {c: int(expected[c].isna().sum()) for c in ("y", "x")}
    missing = 0
    for _, group in expected.groupby("id"):
        hours = group["when"].diff().dropna() / pd.Timedelta("1h")
        missing += int((hours - 1).sum())
    assert report.missing_steps == missing


def test_the_same_data_has_the_same_digest_in_every_format(tmp_path: Path) -> None:
    table = frame()
    table.loc[3, "x"] = np.nan
    shuffled = table.sample(frac=1, random_state=1)
    table.to_csv(tmp_path / "a.csv", index=False)
    shuffled.to_csv(tmp_path / "b.csv", index=False, sep=";")
    with gzip.open(tmp_path / "c.csv.gz", "wt") as stream:
        stream.write(table[["y", "when", "x", "id"]].to_csv(index=False, na_rep="NA"))
    table.to_parquet(tmp_path / "d.parquet")
    lines = shuffled.to_json(orient="records", lines=True, date_format="iso")
    (tmp_path / "e.jsonl").write_text(lines)
    table.iloc[:30].to_csv(tmp_path / "f1.csv", index=False)
    table.iloc[30:].to_csv(tmp_path / "f2.csv", index=False)
    digests = set()
    for path in ("a.csv", "b.csv", "c.csv.gz", "d.parquet", "e.jsonl", "f?.csv"):
        report = ingest(config(path), SplitConfig(), ROLES, tmp_path, tmp_path / "out")
        assert report.rows_kept == 80, path
        digests.add(report.digest)
    assert len(digests) == 1
    table.loc[5, "y"] += 1
    table.to_csv(tmp_path / "a.csv", index=False)
    other = ingest(config("a.csv"), SplitConfig(), ROLES, tmp_path, tmp_path / "out")
    assert other.digest not in digests


def test_fingerprint_is_of_content_not_of_modification_time(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    frame().to_csv(file, index=False)
    before = content_fingerprint(config("a.csv"), ROLES, tmp_path)
    file.write_bytes(file.read_bytes())
    assert content_fingerprint(config("a.csv"), ROLES, tmp_path) == before
    file.write_text(file.read_text().replace("a,", "c,", 1))
    assert content_fingerprint(config("a.csv"), ROLES, tmp_path) != before


def test_parquet_types_are_read_as_they_are(tmp_path: Path) -> None:
    table = frame(series=("1", "2"))
    table["id"] = table["id"].astype(int)
    table["x"] = (table["x"] > 0).astype(bool)
    table["y"] = (table["y"] * 100).astype(int)
    table["when"] = table["when"].dt.tz_localize("UTC")
    table.to_parquet(tmp_path / "t.parquet")
    report = ingest(config("t.parquet"), SplitConfig(), ROLES, tmp_path, tmp_path / "out")
    got = pd.concat(read_examples(tmp_path / "out").values()).sort_values(["series", "time"])
    assert report.series_ids == ("1", "2")
    assert got["y"].tolist() == table["y"].tolist()
    assert got["x"].tolist() == table["x"].astype(float).tolist()


def test_static_covariates_are_one_value_per_series(tmp_path: Path) -> None:
    table = frame()
    table["size"] = table["id"].map({"a": 1, "b": 2.5})
    table["kind"] = table["id"].map({"a": "shop", "b": "depot"})
    table.loc[4, "kind"] = None
    table.to_csv(tmp_path / "a.csv", index=False)
    roles = Roles(targets=("y",), covariates=Covariates(static=("size", "kind")))
    report = ingest(config("a.csv"), SplitConfig(), roles, tmp_path, tmp_path / "out")
    assert report.static_types == {"size": "number", "kind": "text"}
    got = read_examples(tmp_path / "out")["train"]
    by_series = got.groupby("series")[["size", "kind"]].agg(["nunique", "first"])
    assert by_series.loc[b"a", ("size", "first")] == 1
    assert by_series.loc[b"b", ("size", "first")] == 2.5
    assert by_series.loc[b"a", ("kind", "first")] == b"shop"
    assert (by_series[[("size", "nunique"), ("kind", "nunique")]] == 1).all(axis=None)


def test_the_report_survives_the_disk_and_nothing_else_is_left(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "a.csv", index=False)
    out = tmp_path / "deep" / "out"
    report = ingest(config("a.csv"), SplitConfig(), ROLES, tmp_path, out)
    assert IngestReport.load(out) == report
    assert sorted(p.name for p in out.iterdir()) == [
        "Split-test", "Split-train", "Split-validation", "rejects.csv", "report.json",
    ]  # fmt: skip
    assert list(out.parent.iterdir()) == [out]
    assert report.sources[0].name == "a.csv"
    assert report.bytes == sum(p.stat().st_size for p in out.rglob("*.parquet"))


def test_one_series_is_the_empty_id(tmp_path: Path) -> None:
    frame(series=("a",)).to_csv(tmp_path / "a.csv", index=False)
    report = ingest(config("a.csv", series=None), SplitConfig(), ROLES, tmp_path, tmp_path / "o")
    assert report.series_ids == ("",)
    assert set(read_examples(tmp_path / "o")["train"]["series"]) == {b""}


def test_a_protocol_with_train_steps_leaves_the_rest_unused(tmp_path: Path) -> None:
    frame(rows=40).to_csv(tmp_path / "a.csv", index=False)
    split = SplitConfig(train=10, validation=5, test=4)
    report = ingest(config("a.csv"), split, ROLES, tmp_path, tmp_path / "out")
    assert report.split_rows == {"train": 20, "validation": 10, "test": 8}
    assert report.rows_unused == 42
    start = report.first
    assert report.boundaries == (start, start + 36000, start + 54000, start + 68400)


def test_calendar_steps_and_holes(tmp_path: Path) -> None:
    when = pd.date_range("2015-01-01", periods=60, freq="MS").delete([20, 21, 40])
    pd.DataFrame({"when": when, "y": np.arange(57.0)}).to_csv(tmp_path / "a.csv", index=False)
    data = config("a.csv", series=None, frequency="MS")
    report = ingest(data, SplitConfig(test=6), Roles(targets=("y",)), tmp_path, tmp_path / "out")
    assert (report.steps, report.holes, report.missing_steps, report.longest_hole) == (60, 2, 3, 2)
    ends = [pd.Timestamp(t, unit="s").strftime("%Y-%m") for t in report.boundaries]
    assert ends == ["2015-01", "2018-10", "2019-07", "2020-01"]
