"""A store that goes away in mid-run loses nothing, and holds nobody up."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from components.tracking import known
from components.tracking.delivery import Delivery
from components.tracking.operation import Operation
from components.tracking.outbox import Outbox, anything_waits
from components.tracking.session import RunTracker
from components.tracking.store import TrackingStore, open_store
from models.errors import FailedRunError
from tests.components.tracking.away import Heard, switched


def a_run(tracker: RunTracker, folder: Path, steps: Any = lambda _: None) -> None:
    """Everything a run may say; `steps` is told before each part."""
    steps("start")
    tracker.start("run", {"a": 1, "b": {"c": [2]}}, {"t": "1"}, description="about")
    steps("train")
    with tracker.component("train") as recorder:
        recorder.metrics({"loss": 1.0}, step=0)
        steps("metrics")
        recorder.metrics({"loss": 0.5, "x": 2.0}, step=1)
        recorder.params({"p": "q"})
        recorder.tags({"later": "replaced"})
        recorder.tags({"later": "kept"})
        figure = Figure()
        figure.subplots().plot([1, 2])
        recorder.figure(figure, "figures/loss.png")
        recorder.data({"mae": 0.5}, "numbers.json")
        recorder.file(folder, "notes")
        trial = recorder.nested("trial 1", {"n": "1"})
        trial.metrics({"score": 3.0})
        trial.end("FAILED", "too slow")
        recorder.courses({"curve": [1.0, None, 3.0]})
    steps("data")
    tracker.log_dataset("co2", source="a.csv", digest="d" * 64, schema={"co2": "double"})
    tracker.tag_execution("train", 7)
    steps("finish")
    tracker.finish("FINISHED", {"elman.verdict": "blessed"}, description="done")


def contents(store: TrackingStore, experiment: str) -> dict[str, Any]:
    """What the store holds, by name of the run, without what differs from run to run."""
    client, runs = store.client, {}
    found = client.search_runs([experiment])
    names = {run.info.run_id: run.info.run_name for run in found}
    for run in found:
        tags = {
            k: v
            for k, v in run.data.tags.items()
            if k not in ("elman.id", "mlflow.parentRunId", "elman.workspace", "elman.warnings")
        }
        history = {
            (m.key, m.step, m.value)
            for key in run.data.metrics
            for m in client.get_metric_history(run.info.run_id, key)
        }
        root = Path(run.info.artifact_uri.removeprefix("file://"))
        inputs = [i.dataset.digest for i in run.inputs.dataset_inputs]
        parent = names.get(run.data.tags.get("mlflow.parentRunId", ""))
        files = {
            p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()
        }
        runs[run.info.run_name] = (
            run.info.status, parent, run.data.params, tags, history, inputs, files,
        )  # fmt: skip
    return runs


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    (folder / "below").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "below" / "b.txt").write_text("b")
    return folder


@pytest.mark.parametrize("dies", ["start", "metrics", "finish"])
def test_a_store_that_dies_in_mid_run_has_it_all_in_the_end(
    new_tracking_store: Callable[[str], TrackingStore], notes: Path, tmp_path: Path, dies: str
) -> None:
    well = new_tracking_store("well")
    a_run(RunTracker(well, "co2", tmp_path / "well"), notes)
    expected = contents(well, well.experiment("co2"))

    store, switch = switched(new_tracking_store("away"))
    heard = Heard()
    tracker = RunTracker(store, "co2", tmp_path / "away", heard)

    def step(name: str) -> None:
        switch.down = switch.down or name == dies

    a_run(tracker, notes, step)
    assert anything_waits(tmp_path / "away")
    assert sum("is away" in words for words in heard.said) == 1, heard.said
    assert "the next run sends them" in heard.said[-1]
    (notes / "a.txt").write_text("changed since")

    switch.down = False
    later = RunTracker(store, "co2", tmp_path / "away", heard)
    assert later.close_orphans(locked=True) == ()
    assert "was sent" in heard.said[-1]
    assert not anything_waits(tmp_path / "away")
    assert contents(store, store.experiment("co2")) == expected
    # With the times of when it happened, not of when it was sent.
    for run in store.client.search_runs([tracker.experiment_id]):
        assert run.info.start_time <= run.info.end_time
        for key in run.data.metrics:
            for metric in store.client.get_metric_history(run.info.run_id, key):
                assert run.info.start_time <= metric.timestamp <= run.info.end_time


def test_what_comes_after_is_sent_after_and_in_the_same_run(
    tracking_store: TrackingStore, tmp_path: Path
) -> None:
    clock = {"now": 0.0}
    store, switch = switched(tracking_store)
    experiment = store.experiment("co2")
    delivery = Delivery(store, clock=lambda: clock["now"])
    switch.down = True
    body = {"experiment": experiment, "name": "r", "tags": {}, "time": 1}
    run = delivery.create(Operation("create", "", "start", body))
    assert run.startswith("local-")
    delivery.send(Operation("batch", run, "tag", {"tags": [["a", "old"]]}))
    switch.down = False
    for _ in range(2):
        clock["now"] += 10.0  # the pause after the failure is over
        delivery.send(Operation("batch", run, "tag", {"tags": [["a", "new"]]}))
    assert len(delivery.outbox) == 0
    real = delivery.resolve(run)
    tags = tracking_store.client.get_run(real).data.tags
    assert (tags["a"], tags["elman.id"]) == ("new", run)
    # Another process, which was killed before it could forget what was sent, knows the run, too.
    assert Delivery(store).resolve(run) == real


def test_a_dead_server_takes_little_of_the_time_of_a_training(
    tracking_store: TrackingStore,
) -> None:
    store, switch = switched(tracking_store)
    clock = {"now": 0.0, "lost": 0.0}

    def cost() -> None:  # a server that hangs: as long as `CALL` allows
        clock["now"] += 20.0
        clock["lost"] += 20.0

    switch.cost, switch.down = cost, True
    delivery = Delivery(store, clock=lambda: clock["now"])
    for step in range(100):
        clock["now"] += 1.0
        delivery.send(Operation("batch", "r", "record", {"metrics": [["loss", 1.0, 1, step]]}))
    assert clock["lost"] <= 20 + 0.15 * clock["now"]
    assert len(delivery.outbox) == 100


def test_an_answer_that_is_lost_makes_no_second_run(tracking_store: TrackingStore) -> None:
    store, switch = switched(tracking_store)
    experiment = store.experiment("co2")
    delivery = Delivery(store)
    switch.lose = "create_run"
    body = {"experiment": experiment, "name": "r", "tags": {}, "time": 1}
    run = delivery.create(Operation("create", "", "start", body))
    switch.lose = "log_batch"
    assert not delivery.flush() or delivery.resolve(run) != run
    delivery.send(Operation("batch", run, "m", {"metrics": [["loss", 1.0, 5, 0]]}))
    assert delivery.flush()
    [found] = store.client.search_runs([experiment])
    assert found.info.run_id == delivery.resolve(run)
    [metric] = store.client.get_metric_history(found.info.run_id, "loss")
    assert (metric.value, metric.timestamp) == (1.0, 5)


def test_what_the_store_will_never_take_does_not_hold_up_the_rest(
    tracking_store: TrackingStore,
) -> None:
    store, switch = switched(tracking_store)
    run = store.client.create_run(store.experiment("co2")).info.run_id
    heard = Heard()
    delivery = Delivery(store, heard.warn)
    switch.down = True
    delivery.send(Operation("batch", "no-such-run", "record metrics", {"tags": [["a", "1"]]}))
    delivery.send(Operation("batch", run, "record metrics", {"tags": [["a", "2"]]}))
    torn = delivery.outbox.folder / ("0" * 11 + "9.json")
    torn.write_text("{")
    switch.down = False
    assert delivery.flush()
    assert store.client.get_run(run).data.tags["a"] == "2"
    assert any("refused something" in words for words in heard.said)
    aside = sorted(p.name for p in (delivery.outbox.folder / "refused").iterdir())
    assert aside == ["000000000001.json", "000000000001.txt", torn.name, torn.stem + ".txt"]


def test_an_error_of_the_store_that_is_no_outage_stays_one(tracking_store: TrackingStore) -> None:
    delivery = Delivery(tracking_store)
    with pytest.raises(FailedRunError, match="could not record a metric"):
        delivery.send(Operation("batch", "no-such-run", "record a metric", {"tags": [["a", "1"]]}))
    assert len(delivery.outbox) == 0


def test_an_outbox_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outbox = Outbox(tmp_path / "file" / "outbox")
    with pytest.raises(FailedRunError, match=r"is away.*cannot be kept.*free space"):
        outbox.add(Operation("batch", "r", "record metrics"))


def test_a_server_that_was_there_once_may_be_away_when_a_run_starts(
    tmp_path: Path, notes: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        address = f"http://me:hunter2@127.0.0.1:{taken.getsockname()[1]}"
        shown = address.replace("hunter2", "***")
        with pytest.raises(FailedRunError, match="does not answer"):
            open_store(address, tmp_path)  # never reached: a wrong address, for all we know
        known.remember(known.store_folder(tmp_path, shown), "co2", "17")
        store = open_store(address, tmp_path)
        assert store.away
        assert "hunter2" not in store.away
        heard = Heard()
        tracker = RunTracker(store, "co2", tmp_path, heard)
        assert tracker.experiment_id == "17"
        assert tracker.close_orphans(locked=True) == ()
        a_run(tracker, notes)
        with pytest.raises(FailedRunError, match="could not open the experiment"):
            RunTracker(store, "another", tmp_path)
    assert tracker.run_id.startswith("local-")
    assert anything_waits(tmp_path)
    assert "hunter2" not in "".join(heard.said)
    kept = [json.loads(p.read_text()) for p in sorted(store.folder.glob("0*.json"))]
    assert [o["kind"] for o in kept[:2]] == ["create", "batch"]
    assert not [p for p in (tmp_path / "mlflow").rglob("*") if b"hunter2" in _bytes(p)]


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def test_a_database_that_is_locked_when_a_run_starts(
    new_tracking_store: Callable[[str], TrackingStore], tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    new_tracking_store("workspace").experiment("co2")
    with sqlite3.connect(workspace / "mlflow" / "mlflow.db", isolation_level=None) as other:
        other.execute("begin exclusive")
        store = open_store(None, workspace)
        assert "locked" in store.away
        tracker = RunTracker(store, "co2", workspace)
        tracker.start("run", {"a": 1})
        other.execute("rollback")
    assert tracker.delivery.flush()
    assert store.client.get_run(tracker.run_id).data.params == {"a": "1"}


@pytest.mark.parametrize("damage", ["garbage", "torn", "folder"])
def test_a_damaged_database_is_named(
    new_tracking_store: Callable[[str], TrackingStore], tmp_path: Path, damage: str
) -> None:
    new_tracking_store("workspace")
    file = tmp_path / "workspace" / "mlflow" / "mlflow.db"
    content = file.read_bytes()
    file.unlink()
    if damage == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"x" * 5000 if damage == "garbage" else content[: len(content) // 2])
    with pytest.raises(FailedRunError, match=r"tracking database .*mlflow.db is damaged.*move it"):
        open_store(None, tmp_path / "workspace")
