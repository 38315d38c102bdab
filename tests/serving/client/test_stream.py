"""Streaming sessions: as good as sending the history again, at any replica, from any step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.errors import BadInputError
from models.windows.gaps import GapsConfig
from serving.client import ForecastClient
from serving.streaming.state import StreamState
from tests.serving.client.conftest import Connect, Exports
from tests.serving.client.forecasters import RICH, SPEC, export, history
from tests.serving.client.test_forecast import close
from tests.serving.conftest import Start
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.setups import ALL, entry

STATIC = {"area": [1.5, 2.5], "region": ["north", "nowhere"]}
PAST = [*RICH.targets, "wind"]


@pytest.fixture(scope="module")
def running(
    start: Start, exports: Exports, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("exports")
    previous = GapsConfig(max=2, fill="previous")
    models: dict[str, Path] = {
        "rich": export(folder / "rich", roles=RICH, gaps=previous),
        "plain": exports.plain,
        "window": export(folder / "window", normalize="window"),
        "one": export(folder / "one", data={"series": None}),
    }
    setup = Setup(" ".join(map(entry, models)), {(n, 1): m for n, m in models.items()})
    server = start(tmp_path_factory.mktemp("server"), setup)
    yield server
    server.stop()


@pytest.fixture
def both(running: Running) -> Iterator[dict[str, ForecastClient]]:
    """Clients of the rich model, in both protocols."""
    urls = {
        "rest": f"http://127.0.0.1:{running.rest_port}",
        "grpc": f"grpc://127.0.0.1:{running.grpc_port}",
    }
    clients = {name: ForecastClient(url, "rich") for name, url in urls.items()}
    yield clients
    for client in clients.values():
        client.close()


def window(steps: int = SPEC.lookback) -> pd.DataFrame:
    """Exactly one lookback of both series, with holes inside."""
    frame = history(RICH, series={"a": steps, "b": steps}, seed=3)
    weeks = sorted(frame["week"].unique())
    frame.loc[(frame["site"] == "a") & (frame["week"] == weeks[3]), "y"] = np.nan
    return frame[~((frame["site"] == "b") & frame["week"].isin(weeks[4:6]))]


def test_a_fresh_session_fed_one_lookback_forecasts_as_the_window(
    running: Running, connect: Connect
) -> None:
    client = connect(running, "rich")
    with client.stream(
        ["b", "a"], static={"area": [2.5, 1.5], "region": ["nowhere", "north"]}
    ) as s:
        got = s.feed(window())
    close(got, client.forecast(window()))


def test_step_by_step_is_as_all_at_once(both: dict[str, ForecastClient]) -> None:
    rest, grpc = both["rest"], both["grpc"]
    frame = history(RICH, series={"a": 15, "b": 12}, seed=4)
    every = rest.stream(["a", "b"], static=STATIC).feed(frame, every=True)
    assert len(every) == (15 + 12) * SPEC.horizon
    assert every.equals(every.sort_values(["site", "origin", "step"], ignore_index=True))
    session, parts = rest.stream(["a", "b"], static=STATIC), []
    weeks = sorted(frame["week"].unique())
    for number, week in enumerate(weeks[:15]):
        rows = frame[frame["week"].between(week, weeks[min(number + SPEC.reach, len(weeks) - 1)])]
        rows = rows.copy()
        rows.loc[rows["week"] > week, PAST] = np.nan
        if number >= 12:
            rows = rows[rows["site"] == "a"]
        if number and number % 4 == 0:
            # What was known before need not be sent again.
            rows = rows[(rows["week"] == week) | (rows["week"] == rows["week"].max())]
        parts.append(session.step(rows))
        if number % 3 == 2:  # on with another replica, in the other protocol
            kept: StreamState | bytes = session.state
            if number % 2:
                kept = session.state.to_bytes()
            session = (grpc if number % 2 else rest).stream(kept)
    close(
        pd.concat(parts).sort_values(["site", "origin", "step"], ignore_index=True),
        every,
    )


def test_a_row_may_be_a_mapping(running: Running, connect: Connect) -> None:
    client = connect(running, "rich")
    frame = history(RICH, series={"a": 10}, seed=5)
    expected = client.stream(["a"], static={"area": 1.5, "region": "north"}).feed(frame, every=True)
    session, parts = client.stream(["a"], static={"area": 1.5, "region": "north"}), []
    prices = frame["#price"].tolist()
    for i, row in frame.head(10).iterrows():
        assert isinstance(i, int)
        values: dict[str, Any] = {c: row[c] for c in ("week", "site", *PAST)}
        values["#price"] = prices[i : i + 1 + SPEC.reach] if i == 0 else prices[i : i + 5]
        parts.append(session.step(values if i % 2 else pd.Series(values)))
    close(pd.concat(parts, ignore_index=True), expected)


def test_skipped_steps_are_filled_and_long_holes_refused(
    running: Running, connect: Connect
) -> None:
    client = connect(running, "plain")
    frame = history(series={"a": 12})
    whole = frame.copy()
    whole.loc[[5, 6], "y"] = whole.loc[4, "y"]
    expected = client.stream(["a"]).feed(whole)
    session = client.stream(["a"])
    for i in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11):
        got = session.step(frame.iloc[[i]])
    close(got, expected)
    session = client.stream(["a"])
    session.feed(frame.head(5))
    before = session.state
    with pytest.raises(BadInputError, match=r"no rows for 3 steps up to 2024-03-02.*new session"):
        session.step(frame.iloc[[8]])
    with pytest.raises(BadInputError, match="not after the last step 2024-02-03; the next one is"):
        session.step(frame.iloc[[4]])
    with pytest.raises(BadInputError, match="has 2 rows with targets; step takes one"):
        session.step(frame.iloc[[5, 6]])
    with pytest.raises(BadInputError, match="no series 'z'; it has 'a'"):
        session.step(frame.iloc[[5]].assign(site="z"))
    with pytest.raises(BadInputError, match="no column 'y'"):
        session.step({"week": "2024-02-10", "site": "a"})
    with pytest.raises(BadInputError, match="has no 'week'"):
        session.step({"site": "a", "y": 1})
    assert session.state is before


def test_a_failed_step_changes_nothing_and_can_be_tried_again(
    running: Running, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(running, "plain", batch_size=1)
    frame = history(series={"a": 12, "b": 12})
    expected = client.stream(["a", "b"]).feed(frame)
    session = client.stream(["a", "b"])
    session.feed(frame[frame["week"] <= "2024-02-17"])
    before, call, calls = session.state.to_bytes(), session._call, []

    def fails_later(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 4:
            raise BadInputError("cut off")
        return call(*arguments)

    monkeypatch.setattr(session, "_call", fails_later)
    with pytest.raises(BadInputError, match="cut off"):
        session.feed(frame[frame["week"] > "2024-02-17"])
    assert StreamState.from_bytes(before).to_bytes() == session.state.to_bytes()
    close(session.feed(frame[frame["week"] > "2024-02-17"]), expected)


def test_a_state_belongs_to_one_version(serve: Any, connect: Connect, exports: Exports) -> None:
    running = serve(Setup(entry("default", more=ALL), {("default", 1): exports.plain}))
    client = connect(running, refresh=0)
    frame = history(series={"a": 12})
    session = client.stream(["a"])
    session.feed(frame.head(8))
    kept = session.state.to_bytes()
    running.push(exports.other, "default", 2)
    running.wait_for("default", 1, 2)
    assert client.describe().version == 2
    first = session.feed(frame.iloc[8:10])
    close(client.stream(kept).feed(frame.iloc[8:10]), first)
    running.remove("default", 1)
    running.wait_for("default", 2)
    gone = r"version 1 of model 'default'.* is gone.*the server has the versions 2 \(AVAILABLE\)"
    with pytest.raises(BadInputError, match=gone):
        session.step(frame.iloc[[10]])
    with pytest.raises(BadInputError, match=gone):
        client.stream(kept)
    running.push(exports.longer, "default", 1)
    running.wait_for("default", 1, 2)
    with pytest.raises(BadInputError, match="is another model here"):
        client.stream(kept)


@pytest.mark.parametrize(
    ("model", "arguments", "words"),
    [
        ("window", {"series": ["a"]}, "cannot be streamed: model.normalize is window"),
        ("plain", {}, "give the ids of the series"),
        ("plain", {"series": "a"}, "as a list"),
        ("plain", {"series": []}, "as a list"),
        ("plain", {"series": ["a", "b", "a"]}, "series 'a' is there twice"),
        ("one", {"series": ["a"]}, "knows one series only"),
        ("rich", {"series": ["a"]}, "needs the static covariates area, region"),
        ("rich", {"series": ["a"], "static": {"area": 1.0}}, "no column 'region'"),
        ("rich", {"series": ["a"], "static": {"area": [1.0, 2.0], "region": "x"}}, "expected one"),
        ("rich", {"series": ["a", "b"], "static": pd.DataFrame(
            {"site": ["a"], "area": [1.0], "region": ["x"]})}, "series 'b' has no row"),
        ("plain", {"series": b"PK nothing"}, "no saved state"),
        ("plain", {"series": b""}, "no saved state"),
    ],
)  # fmt: skip
def test_sessions_that_cannot_begin(
    running: Running, connect: Connect, model: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        connect(running, model).stream(**arguments)


def test_many_series_begin_in_several_requests(
    running: Running, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving.streaming import begin

    client = connect(running, "plain", batch_size=3)
    frame = history(series={f"s{i}": SPEC.lookback for i in range(8)})
    names = sorted(frame["site"].unique())
    expected = client.stream(names).feed(frame)
    monkeypatch.setattr(begin, "_MOST_ROWS", 3)
    close(client.stream(names).feed(frame), expected)
    close(client.forecast(frame), expected)


def test_one_series_needs_no_id(running: Running, connect: Connect) -> None:
    client = connect(running, "one")
    frame = history(series={"": SPEC.lookback}).drop(columns="site")
    with client.stream() as session:
        got = session.feed(frame)
    close(got, client.forecast(frame))
    assert "site" not in got
    with pytest.raises(BadInputError, match="the session has ended"):
        session.feed(frame)


def test_a_state_is_told_from_what_is_none(running: Running, connect: Connect) -> None:
    client = connect(running, "rich")
    session = client.stream(["a", "b"], static=STATIC)
    session.feed(window())
    state = session.state
    back = StreamState.from_bytes(state.to_bytes())
    assert back.to_bytes() == state.to_bytes()
    assert back.static["region"].tolist() == ["north", "nowhere"]
    arrays = state.to_arrays()
    assert all(a.dtype != object for a in arrays.values())
    for broken in (
        {k: v for k, v in arrays.items() if k != "time"},
        {**arrays, "time": arrays["time"][:1]},
        {**arrays, "meta": np.frombuffer(b"{}", np.uint8)},
        {**arrays, "meta": np.frombuffer(b"[", np.uint8)},
    ):
        with pytest.raises(BadInputError, match="no saved state"):
            StreamState.from_arrays(broken)
    future = np.frombuffer(bytes(arrays["meta"]).replace(b'"format": 1', b'"format": 2'), np.uint8)
    with pytest.raises(BadInputError, match="format 2; this version of Elman reads 1"):
        StreamState.from_arrays({**arrays, "meta": future})
    with pytest.raises(BadInputError, match="of model 'rich', this client is of 'plain'"):
        connect(running, "plain").stream(state)
    lacking = {k: v for k, v in arrays.items() if k != "state.state_0_h"}
    with pytest.raises(BadInputError, match="is another model here"):
        client.stream(StreamState.from_arrays(lacking))
