"""Models that are replaced while a client talks to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BadInputError, FailedRunError
from models.export.metadata import describe
from models.history.recipe import DataDescription
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from serving import client as module
from serving.client import ForecastClient
from serving.status import Code, ServingError
from serving.transport.transport import Arrays, ModelVersion, Wanted
from tests.serving.client.conftest import Connect, Exports
from tests.serving.client.forecasters import history
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.setups import entry, latest


class Server:
    """A server that keeps only the newest versions, and is told when which are there.

    Version `v` looks `5 + v` steps back and `1 + v` ahead, and forecasts its own number; a window
    of any other shape makes it fail.
    """

    def __init__(self, schedule: Sequence[Sequence[int]], labels: dict[str, int] | None = None):
        self.schedule = [list(s) for s in schedule]
        self.loaded = self.schedule.pop(0)
        self.labels = labels or {}
        self.asked: list[tuple[str, Wanted]] = []

    def _step(self, what: str, wanted: Wanted) -> None:
        self.asked.append((what, wanted))
        if self.schedule:
            self.loaded = self.schedule.pop(0)

    def _version(self, wanted: Wanted) -> int:
        version = wanted.version
        if wanted.label is not None:
            version = self.labels.get(wanted.label)
            if version is None:
                raise ServingError(Code.INVALID_ARGUMENT, "Unrecognized servable version label")
        if version is None and self.loaded:
            version = max(self.loaded)
        if version not in self.loaded:
            raise ServingError(Code.NOT_FOUND, f"Servable not found: {version}")
        assert version is not None
        return version

    def predict(
        self, wanted: Wanted, signature: str, inputs: Arrays, outputs: Sequence[str], timeout: float
    ) -> dict[str, npt.NDArray[Any]]:
        self._step(signature, wanted)
        version = self._version(wanted)
        if signature == "describe":
            text = np.asarray([json.dumps(described(version)).encode()], object)
            return {"metadata": text}
        rows = len(inputs["y"])
        assert inputs["y"].shape == (rows, 5 + version)
        return {"y": np.full((rows, 1 + version), version, np.float32)}

    def serving(self, wanted: Wanted, timeout: float) -> int:
        self._step("serving", wanted)
        return self._version(wanted)

    def versions(self, model: str, timeout: float) -> list[ModelVersion]:
        if not self.loaded:
            raise ServingError(Code.NOT_FOUND, "Could not find any versions of model")
        return [ModelVersion(v, "AVAILABLE") for v in sorted(self.loaded, reverse=True)]

    def close(self) -> None:
        pass


def described(version: int) -> dict[str, Any]:
    data = DataDescription(time="week", series="site", gaps=GapsConfig(max=2))
    return describe(
        WindowSpec(lookback=5 + version, horizon=1 + version),
        Roles(targets=("y",), covariates=Covariates()),
        "W-SAT",
        (),
        {"data": data.model_dump(mode="json")},
        streaming=None,
        refusal=None,
    )


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ForecastClient]:
    def client(server: Server, **options: Any) -> ForecastClient:
        monkeypatch.setattr(module, "connect", lambda *_: server)
        return ForecastClient("http://127.0.0.1:1", "m", **options)

    return client


FRAME = history(series={f"s{i}": 30 for i in range(7)})


def one_version(frame: pd.DataFrame) -> int:
    """The version that made a forecast, which has to be all of one."""
    (version,) = set(frame["y"])
    assert frame.groupby("site")["step"].max().tolist() == [1 + version] * 7
    return int(version)


@settings(max_examples=100)
@given(
    st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=2, unique=True), min_size=1),
    st.integers(1, 7),
    st.sampled_from([0.0, 100.0]),
)
def test_every_window_goes_to_the_version_it_was_made_for(
    schedule: list[list[int]], size: int, refresh: float
) -> None:
    server = Server(schedule)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "connect", lambda *_: server)
        client = ForecastClient(
            "http://127.0.0.1:1", "m", batch_size=size, refresh=refresh, retries=0
        )
    for _ in range(3):
        try:
            version = one_version(client.forecast(FRAME))
        except BadInputError as error:
            # Only if versions were swapped all the time.
            assert "Servable not found" in str(error)  # noqa: PT017
            assert len([a for a in server.asked if a[0] == "serving"]) >= 5
        else:
            named = [w.version for what, w in server.asked if what == "serving_default"]
            assert named[-1] == version


def test_a_version_that_goes_away_is_replaced_by_the_one_that_serves(
    connected: Callable[..., ForecastClient],
) -> None:
    server = Server([[1], [1], [1], [2]])
    assert one_version(connected(server).forecast(FRAME)) == 2
    assert [what for what, _ in server.asked] == [
        "serving", "describe", "serving_default", "serving", "describe", "serving_default",
    ]  # fmt: skip


def test_a_newer_version_is_used_once_the_last_answer_is_too_old(
    connected: Callable[..., ForecastClient],
) -> None:
    server = Server([[1]])
    often, seldom = connected(server, refresh=0), connected(server, refresh=1000)
    assert one_version(often.forecast(FRAME)) == one_version(seldom.forecast(FRAME)) == 1
    server.loaded = [1, 2]
    assert one_version(often.forecast(FRAME)) == 2
    assert one_version(seldom.forecast(FRAME)) == 1
    server.loaded = [2]
    assert one_version(seldom.forecast(FRAME)) == 2


def test_each_version_describes_itself_once(connected: Callable[..., ForecastClient]) -> None:
    server = Server([[1, 2]])
    client = connected(server, refresh=0)
    for _ in range(3):
        client.forecast(FRAME)
    assert [what for what, _ in server.asked].count("describe") == 1


def test_a_pinned_version_is_never_left(connected: Callable[..., ForecastClient]) -> None:
    server = Server([[1, 2]])
    client = connected(server, version=1)
    assert one_version(client.forecast(FRAME)) == 1
    server.loaded = [2, 3]
    with pytest.raises(BadInputError, match=r"the versions 3 \(AVAILABLE\), 2 \(AVAILABLE\)"):
        client.forecast(FRAME)
    held = connected(server).pinned()
    server.loaded = [4]
    feed = {"y": np.ones((1, 8), np.float32)}
    with pytest.raises(BadInputError, match="Servable not found: 3"):
        held.forecast(feed)
    server.loaded = [3]
    assert held.forecast(feed).shape == (1, 4, 1)


def test_a_label_is_followed(connected: Callable[..., ForecastClient]) -> None:
    server = Server([[1, 2, 3]], {"stable": 1})
    client = connected(server, label="stable", refresh=0)
    assert one_version(client.forecast(FRAME)) == 1
    server.labels = {"stable": 2}
    assert one_version(client.forecast(FRAME)) == 2
    server.labels = {}
    with pytest.raises(BadInputError, match=r"label.*the versions 3"):
        client.forecast(FRAME)


def test_one_deadline_is_for_all_that_a_call_sends(
    connected: Callable[..., ForecastClient],
) -> None:
    left: list[float] = []

    class Slow(Server):
        def predict(self, *arguments: Any) -> dict[str, npt.NDArray[Any]]:
            left.append(arguments[-1])
            return super().predict(*arguments)

    connected(Slow([[1]]), batch_size=1).forecast(FRAME, timeout=20)
    assert len(left) == 8
    assert left == sorted(left, reverse=True)
    assert left[0] <= 20


def test_a_queue_that_stays_full_is_a_failure(connected: Callable[..., ForecastClient]) -> None:
    class Full(Server):
        def predict(self, *arguments: Any) -> dict[str, npt.NDArray[Any]]:
            self.asked.append(("full", arguments[0]))
            raise ServingError(Code.RESOURCE_EXHAUSTED, "The batch scheduling queue is full")

    server = Full([[1]])
    with pytest.raises(FailedRunError, match=r"queue is full \(tried 3 times"):
        connected(server, retries=2).forecast(FRAME)
    assert [what for what, _ in server.asked].count("full") == 3


def test_a_real_server_may_swap_versions_under_load(
    serve: Callable[[Setup], Running], connect: Connect, exports: Exports
) -> None:
    running = serve(Setup(entry("default", more=latest(1)), {("default", 1): exports.plain}))
    frame = history()
    expected = {}
    for version, model in ((2, exports.longer), (3, exports.other)):
        expected[version - 1] = connect(running).forecast(frame)
        running.push(model, "default", version)
        running.wait_for("default", version)
    expected[3] = connect(running, refresh=0).forecast(frame)
    client, got, failed = connect(running, refresh=0.05), [], []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                got.append(client.forecast(frame))
            except Exception as error:  # told below
                failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    last = 3

    def some_answers() -> None:
        enough = len(got) + 6
        running.until(lambda: len(got) >= enough or bool(failed), lambda: len(got))

    for model in (exports.plain, exports.longer, exports.other):
        last += 1
        running.push(model, "default", last)
        running.wait_for("default", last)
        some_answers()
    running.remove("default", last)
    running.wait_for("default", last - 1)
    some_answers()
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]
    seen = set()
    for frame in got:
        same = [
            v
            for v, e in expected.items()
            if len(e) == len(frame) and np.allclose(e["y"], frame["y"], rtol=1e-5, atol=1e-5)
        ]
        assert same, "an answer of no version"
        seen.add(same[0])
    assert seen == {1, 2, 3}


def test_large_windows_are_sent_in_smaller_requests(
    connected: Callable[..., ForecastClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving.history import pinned

    server = Server([[1]])
    whole = connected(server).forecast(FRAME)
    monkeypatch.setattr(pinned, "MOST_VALUES", 6 * 3 + 1)
    pd.testing.assert_frame_equal(connected(server).forecast(FRAME), whole)
    assert [what for what, _ in server.asked].count("serving_default") == 1 + 3
    monkeypatch.setattr(pinned, "MOST_VALUES", 1)
    pd.testing.assert_frame_equal(connected(server).forecast(FRAME), whole)
