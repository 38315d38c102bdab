"""Data frames as people have them, and what is said of those that cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.errors import BadInputError
from models.frequency import Frequency
from models.history.recipe import DataDescription, WindowRecipe
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from serving.history.frame import HistoryFrame
from serving.history.times import read_times
from serving.history.windows import Asked

ROLES = Roles(targets=("y",), covariates=Covariates(past=("p",), static=("area", "kind")))


def recipe(step: str = "h", roles: Roles = ROLES, **data: Any) -> WindowRecipe:
    base = {"time": "when", "series": "id", "gaps": GapsConfig(max=1), **data}
    return WindowRecipe(
        spec=WindowSpec(lookback=4, horizon=2),
        roles=roles,
        step=Frequency.parse(step),
        text=("kind",),
        data=DataDescription(**base),
    )


def frame(rows: int = 6, **columns: Any) -> pd.DataFrame:
    base: dict[str, Any] = {
        "when": pd.date_range("2024-01-01", periods=rows, freq="h"),
        "id": "a",
        "y": np.arange(rows, dtype=float),
        "p": 1,
        "area": 2.5,
        "kind": "k",
    }
    return pd.DataFrame({**base, **columns})


def seconds(text: str) -> int:
    return int(np.datetime64(text, "s").astype(np.int64))


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, None],
        np.array([1, 2, np.nan], np.float32),
        pd.array([1, 2, None], dtype="Int64"),
        pd.array([1.0, 2.0, None], dtype="Float64"),
        np.array([1, 2, None], object),
        np.array([1, np.float32(2), pd.NA], object),
        [True, 2, None],
    ],
)
def test_numbers_of_every_kind(values: Any) -> None:
    got = HistoryFrame.of(frame(3, y=values), recipe())
    np.testing.assert_array_equal(got.values[:, 0], [1, 2, np.nan])
    assert got.values.dtype == np.float32


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["1", "2", "x"], "row 0: column 'y' holds '1'; expected numbers"),
        ([1, 2, "x"], "row 2: column 'y' holds 'x'"),
        ([1, 2, 3j], "numbers"),
        ([1, 2, np.inf], "row 2: column 'y' holds inf"),
        ([1, 1e39, 2], "row 1: column 'y' holds 1e.39"),
        (pd.to_datetime(["2024-01-01"] * 3), "expected numbers"),
        (pd.Categorical([1, 2, 3]), "expected numbers"),
        (pd.array(["a", "b", "c"], dtype="string"), "expected numbers"),
    ],
)
def test_what_is_no_number(values: Any, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        HistoryFrame.of(frame(3, y=values), recipe())


@pytest.mark.parametrize(
    ("times", "data", "expected"),
    [
        (["2024-01-01 00:00", "2024-01-01T01:00:00"], {}, "2024-01-01T01:00:00"),
        (["2024-01-01T02:00+02:00", "2024-01-01T03:00+02:00"], {}, "2024-01-01T01:00:00"),
        (["2024-01-01T02:00+02:00", "2024-01-01T01:00Z"], {}, "2024-01-01T01:00:00"),
        (["01.01.2024 00h", "01.01.2024 01h"], {"time_format": "%d.%m.%Y %Hh"},
         "2024-01-01T01:00:00"),
        ([1704067200, 1704070800], {"time_format": "s"}, "2024-01-01T01:00:00"),
        ([1704067200000, 1704070800000], {"time_format": "ms"}, "2024-01-01T01:00:00"),
        (["2024-01-01 00:00", "2024-01-01 01:00"], {"timezone": "Europe/Berlin"},
         "2024-01-01T00:00:00"),
        (pd.date_range("2024-01-01", periods=2, freq="h", tz="America/New_York"), {},
         "2024-01-01T06:00:00"),
        (pd.date_range("2024-01-01", periods=2, freq="h").astype("datetime64[ms]"), {},
         "2024-01-01T01:00:00"),
        ([pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01 01:00")], {}, "2024-01-01T01:00:00"),
    ],
)  # fmt: skip
def test_times_of_every_kind(times: Any, data: dict[str, Any], expected: str) -> None:
    got = HistoryFrame.of(frame(2, when=times), recipe(**data))
    assert got.time[1] == seconds(expected)
    assert got.time[0] == got.time[1] - 3600


@pytest.mark.parametrize(
    ("times", "data", "expected"),
    [
        # Dates are dates, in the zone that training took them in.
        (["2024-01-01", "2024-01-02"], {"timezone": "Europe/Berlin"}, "2024-01-02"),
        (["2023-12-31T23:30Z", "2024-01-01T23:30Z"], {"timezone": "Europe/Berlin"},
         "2024-01-02T00:30:00"),
        (pd.date_range("2024-01-01", periods=2, tz="Europe/Berlin"), {"timezone": "Europe/Berlin"},
         "2024-01-02"),
        ([pd.Timestamp("2024-01-01").date(), pd.Timestamp("2024-01-02").date()], {}, "2024-01-02"),
    ],
)  # fmt: skip
def test_days_are_dates(times: Any, data: dict[str, Any], expected: str) -> None:
    got, clock = read_times(pd.Series(times, name="when"), recipe("D", **data))
    assert got[1] == seconds(expected)
    assert clock.zone is None


def test_times_come_back_as_they_were_sent() -> None:
    naive = pd.Series(pd.date_range("2024-07-01", periods=3, freq="h"), name="when")
    aware = naive.dt.tz_localize("Asia/Kolkata")
    for sent, data in [(naive, {}), (aware, {}), (aware, {"timezone": "Europe/Berlin"})]:
        got, clock = read_times(sent, recipe(**data))
        pd.testing.assert_index_equal(clock.frame(got), pd.DatetimeIndex(sent), check_names=False)
    got, clock = read_times(naive, recipe(timezone="Europe/Berlin"))
    back = clock.frame(got)
    assert str(back.tz) == "Europe/Berlin"
    assert (back.tz_localize(None) == pd.DatetimeIndex(naive)).all()


@pytest.mark.parametrize(
    ("times", "data", "words"),
    [
        (["2024-01-01 00:00", None], {}, "row 1 has no time in the column 'when'"),
        ([0, 3600], {}, "has the type int64; expected datetimes"),
        ([0.5, 3600.5], {"time_format": "s"}, "float64"),
        (["2024-01-01", "tomorrow"], {}, "expected datetimes or ISO 8601 text"),
        (["2024-01-01 00:00", "2024-01-01 01:00"], {"time_format": "ms"}, "whole numbers of ms"),
        (["2024-01-01 00:00", "2024-01-01 01:00Z"], {}, "some times have a UTC offset"),
        (
            pd.to_datetime(["2024-01-01 00:00:00.5", "2024-01-01 01:00:00.0"]),
            {},
            "fraction of a second",
        ),
        (["2024-03-31 01:00", "2024-03-31 02:30"], {"timezone": "Europe/Berlin"}, "does not exist"),
        (["2024-10-27 01:00", "2024-10-27 02:30"], {"timezone": "Europe/Berlin"}, "came twice"),
        (pd.period_range("2024-01-01", periods=2, freq="h"), {}, "expected datetimes"),
    ],
)
def test_what_is_no_time(times: Any, data: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words) as caught:
        HistoryFrame.of(frame(2, when=times), recipe(**data))
    assert "when" in str(caught.value)


def test_series_are_sorted_and_ids_are_text() -> None:
    rows = pd.concat([frame(3, id=10, area=1.0), frame(2, id=9, area=2.0, kind="z")])
    got = HistoryFrame.of(rows.sample(frac=1, random_state=0), recipe())
    assert got.series == ("10", "9")
    assert got.starts.tolist() == [0, 3, 5]
    assert got.static == {"area": [1.0, 2.0], "kind": ["k", "z"]}
    parts = list(got.rows())
    assert [p[0] for p in parts] == ["10", "9"]
    assert parts[0][2][:, 0].tolist() == [0, 1, 2]
    assert parts[1][3] == {"area": 2.0, "kind": "z"}


def test_static_covariates_may_be_missing_in_some_rows() -> None:
    got = HistoryFrame.of(frame(3, area=[np.nan, 2.5, np.nan], kind=[None, None, "k"]), recipe())
    assert got.static == {"area": [2.5], "kind": ["k"]}
    whole = HistoryFrame.of(frame(2, kind=[7, 7]), recipe())
    holes = HistoryFrame.of(frame(2, kind=[7, None]), recipe())
    assert whole.static["kind"] == holes.static["kind"] == ["7"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"area": [1.0, 1.0, 2.0]}, r"series 'a' has the values .*1\.0.*2\.0.* of the static cova"),
        ({"area": np.nan}, "series 'a' has no value of the static covariate 'area'"),
        ({"kind": None}, "no value of the static covariate 'kind'"),
        ({"area": "wide"}, "column 'area' holds 'wide'"),
        ({"kind": 7.5}, "floating-point"),
        ({"id": [1.0, 2.0, 3.0]}, "column 'id' holds floating-point numbers"),
        ({"id": ["a", None, "a"]}, "row 1 has no series id"),
    ],
)
def test_wrong_ids_and_static_covariates(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        HistoryFrame.of(frame(3, **change), recipe())


def test_missing_columns_and_rows() -> None:
    with pytest.raises(BadInputError, match="no column 'p'; its columns are: when, id, y"):
        HistoryFrame.of(frame().drop(columns="p"), recipe())
    with pytest.raises(BadInputError, match="no column 'when'; did you mean 'When'"):
        HistoryFrame.of(frame().rename(columns={"when": "When"}), recipe())
    with pytest.raises(BadInputError, match="'y' more than once"):
        HistoryFrame.of(frame().rename(columns={"p": "y"}), recipe())
    with pytest.raises(BadInputError, match="has no rows"):
        HistoryFrame.of(frame().head(0), recipe())
    with pytest.raises(BadInputError, match="got dict"):
        HistoryFrame.of({"y": [1]}, recipe())  # type: ignore[arg-type]
    assert len(HistoryFrame.of(frame().set_index("when"), recipe()).time) == 6


def ask(rows: pd.DataFrame, origin: Any = None) -> Asked:
    return Asked.of(rows, recipe(), origin, 100)


def test_series_that_cannot_be_forecast_are_named_with_what_they_lack() -> None:
    short = frame(3)
    with pytest.raises(BadInputError) as caught:
        ask(short)
    assert str(caught.value) == (
        "series 'a' cannot be forecast: 3 usable steps of history up to 2024-01-01T02:00:00Z, and "
        "4 are needed (window.lookback)"
    )
    hole = frame(12).drop(index=[7, 8, 9])
    with pytest.raises(BadInputError, match="no rows for 3 steps before 2024-01-01T10:00:00Z"):
        ask(hole)
    many = pd.concat([frame(3, id=f"s{i}") for i in range(9)] + [frame(6, id="good")])
    with pytest.raises(BadInputError, match=r"9 of 10 series(?s:.*)'s4'(?s:.*)and 4 more"):
        ask(many)
    with pytest.raises(BadInputError, match="2024-01-01T01:00:00Z is there twice"):
        ask(pd.concat([frame(6), frame(2).tail(1)]))
    with pytest.raises(BadInputError, match="is not on the grid"):
        ask(frame(6, when=pd.date_range("2024-01-01", periods=6, freq="61min")))
    with pytest.raises(BadInputError, match="origin 2024-01-01T02:30:00Z is not on its grid"):
        ask(frame(6), "2024-01-01 02:30")
    with pytest.raises(BadInputError, match="'origin'"):
        ask(frame(6), "soon")
    assert len(ask(frame(6), pd.Timestamp("2024-01-01 04:00")).batches) == 1
