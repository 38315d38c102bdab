"""Versions as they come and go under a manager that looks when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel, VersionPolicy
from serving.engine.version_status import State, VersionStatus
from serving.observer import Silent
from serving.status import Code, ServingError
from tests.serving.engine.fake_versions import Loads, as_fake, complete, write_half, write_version
from tests.serving.event_loop import run, until


@contextlib.asynccontextmanager
async def managing(
    base: Path, loads: Loads, policy: VersionPolicy | None = None, **options: Any
) -> AsyncIterator[ModelManager]:
    """A manager of the model `m` in `base` that has started."""
    model = ServedModel("m", base, policy or VersionPolicy())
    manager = ModelManager([model], load=loads, **{"poll_seconds": 0, **options})
    await manager.start()
    try:
        yield manager
    finally:
        await manager.stop()


def available(manager: ModelManager) -> list[int]:
    try:
        found = manager.status("m")
    except ServingError:
        return []
    return [status.version for status in found if status.state is State.AVAILABLE]


def states(manager: ModelManager) -> dict[int, State]:
    return {status.version: status.state for status in manager.status("m")}


def used(manager: ModelManager, version: int | None = None) -> int:
    with manager.use("m", version) as servable:
        assert not as_fake(servable).closed
        return servable.version


async def look_twice(manager: ModelManager) -> None:
    """What was broken is tried again when it has changed and is the same at two looks."""
    await manager.poll()
    await manager.poll()


def refused(manager: ModelManager, *args: Any) -> ServingError:
    with pytest.raises(ServingError) as caught, manager.use(*args):
        pass
    return caught.value


def test_start_returns_when_the_newest_version_is_available(tmp_path: Path) -> None:
    async def go() -> None:
        for version in (1, 3, 2):
            write_version(tmp_path, version)
        async with managing(tmp_path, loads := Loads()) as manager:
            assert available(manager) == [3]
            assert used(manager) == 3
            assert loads.started == [3]

    run(go())


@pytest.mark.parametrize("exists", [False, True])
def test_a_model_without_versions_is_served_once_there_is_one(tmp_path: Path, exists: bool) -> None:
    async def go() -> None:
        base = tmp_path / "m"
        if exists:
            base.mkdir()
        async with managing(base, Loads()) as manager:
            error = refused(manager, "m")
            assert (error.code, error.message) == (
                Code.NOT_FOUND,
                "Servable not found for request: Latest(m)",
            )
            with pytest.raises(ServingError, match="Could not find any versions of model m"):
                manager.status("m")
            write_version(base, 7)
            await manager.poll()
            assert used(manager) == 7

    run(go())


def test_a_new_version_takes_over_and_the_old_one_ends(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, loads := Loads()) as manager:
            write_version(tmp_path, 2)
            await manager.poll()
            assert used(manager) == 2
            await until(lambda: states(manager) == {2: State.AVAILABLE, 1: State.END})
            assert loads.open() == [2]

    run(go())


def test_the_old_version_answers_until_the_new_one_is_loaded(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, loads := Loads()) as manager:
            write_version(tmp_path, 2)
            gate = loads.hold(2)
            polling = asyncio.ensure_future(manager.poll())
            await until(lambda: 2 in loads.started)
            assert used(manager) == 1
            assert states(manager) == {2: State.LOADING, 1: State.AVAILABLE}
            error = refused(manager, "m", 2)
            assert error.message == "Servable not found for request: Specific(m, 2)"
            gate.set()
            await polling
            assert used(manager) == 2

    run(go())


def test_the_old_version_stays_until_its_last_request_is_answered(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, loads := Loads()) as manager:
            first, second = manager.use("m"), manager.use("m")
            with first as one:
                with second:
                    write_version(tmp_path, 2)
                    await manager.poll()
                    assert states(manager)[1] is State.UNLOADING
                    assert used(manager) == 2
                    assert refused(manager, "m", 1).code is Code.NOT_FOUND
                await asyncio.sleep(0.05)
                assert not as_fake(one).closed
            await until(lambda: states(manager)[1] is State.END)
            assert loads.open() == [2]

    run(go())


def test_a_broken_version_replaces_nothing_and_says_why(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, loads := Loads()) as manager:
            write_version(tmp_path, 2, broken=True)
            for _ in range(3):
                await manager.poll()
            assert used(manager) == 1
            assert loads.started == [1, 2]
            newest, older = manager.status("m")
            assert older == VersionStatus(1, State.AVAILABLE)
            assert (newest.version, newest.state, newest.code) == (2, State.END, Code.DATA_LOSS)
            assert newest.message == "saved_model.pb is broken"

    run(go())


def test_a_server_that_starts_with_a_broken_newest_version_serves_the_one_before(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        for version, broken in ((1, False), (2, False), (3, True), (4, True)):
            write_version(tmp_path, version, broken=broken)
        async with managing(tmp_path, loads := Loads()) as manager:
            assert available(manager) == [2]
            assert loads.started == [4, 3, 2]

    run(go())


def test_versions_are_loaded_highest_first_and_all_are_served(tmp_path: Path) -> None:
    async def go() -> None:
        for version in range(1, 6):
            write_version(tmp_path, version)
        loads = Loads()
        async with managing(tmp_path, loads, VersionPolicy.all(), load_threads=1) as manager:
            assert available(manager) == [5, 4, 3, 2, 1]
            assert loads.started == [5, 4, 3, 2, 1]
            assert [used(manager, v) for v in (1, 5)] == [1, 5]

    run(go())


def test_a_version_that_is_half_written_is_waited_for(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, loads := Loads()) as manager:
            folder = write_half(tmp_path, 2)
            for _ in range(3):
                await manager.poll()
            assert loads.started == [1]
            assert used(manager) == 1
            assert manager.status("m", 2) == [
                VersionStatus(
                    2, State.START, Code.OK, "not complete: saved_model.pb is missing or empty"
                )
            ]
            complete(folder)
            await manager.poll()
            assert used(manager) == 2

    run(go())


def test_rolling_back_brings_the_version_before_without_a_gap(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        write_version(tmp_path, 2)
        async with managing(tmp_path, loads := Loads()) as manager:
            (tmp_path / "2").rename(tmp_path / ".rolled-back-2")
            gate = loads.hold(1)
            polling = asyncio.ensure_future(manager.poll())
            await until(lambda: 1 in loads.started)
            assert used(manager) == 2
            gate.set()
            await polling
            assert used(manager) == 1
            await until(lambda: states(manager) == {2: State.END, 1: State.AVAILABLE})
            (tmp_path / ".rolled-back-2").rename(tmp_path / "2")
            await manager.poll()
            assert used(manager) == 2

    run(go())


def test_rolling_back_to_a_broken_version_keeps_the_one_that_works(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1, broken=True)
        write_version(tmp_path, 2)
        async with managing(tmp_path, Loads()) as manager:
            (tmp_path / "2").rename(tmp_path / ".rolled-back-2")
            await look_twice(manager)
            assert used(manager) == 2
            assert states(manager) == {2: State.AVAILABLE, 1: State.END}

    run(go())


def test_when_the_last_version_is_taken_away_nothing_is_served(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, loads := Loads()) as manager:
            shutil.rmtree(tmp_path / "1")
            await manager.poll()
            assert refused(manager, "m").code is Code.NOT_FOUND
            await until(lambda: states(manager) == {1: State.END})
            assert loads.open() == []

    run(go())


def test_unless_the_last_version_is_to_be_kept(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, Loads(), keep_last=True) as manager:
            shutil.rmtree(tmp_path / "1")
            await manager.poll()
            assert used(manager) == 1

    run(go())


def test_a_base_path_that_cannot_be_read_takes_nothing_away(tmp_path: Path) -> None:
    async def go() -> None:
        base = tmp_path / "m"
        write_version(base, 1)
        async with managing(base, Loads()) as manager:
            base.rename(tmp_path / "away")
            await manager.poll()
            assert used(manager) == 1
            (tmp_path / "away").rename(base)
            write_version(base, 2)
            await manager.poll()
            assert used(manager) == 2

    run(go())


def test_what_failed_is_tried_again_so_many_times(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        loads = Loads()
        loads.fail = {1}
        async with managing(tmp_path, loads, retries=2, retry_seconds=0.01) as manager:
            await until(lambda: loads.started == [1, 1, 1])
            await asyncio.sleep(0.1)
            assert loads.started == [1, 1, 1]
            assert states(manager) == {1: State.END}

    run(go())


def test_an_attempt_that_succeeds_ends_the_failing(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        loads = Loads()
        loads.fail = {1}
        async with managing(tmp_path, loads, retries=99, retry_seconds=0.01) as manager:
            await until(lambda: len(loads.started) > 2)
            loads.fail = set()
            await until(lambda: available(manager) == [1])
            assert manager.status("m") == [VersionStatus(1, State.AVAILABLE)]

    run(go())


def test_a_broken_version_that_was_mended_is_tried_again(tmp_path: Path) -> None:
    async def go() -> None:
        folder = write_version(tmp_path, 1, broken=True)
        async with managing(tmp_path, loads := Loads(), retries=0) as manager:
            await look_twice(manager)
            assert loads.started == [1]
            (folder / "broken").unlink()
            await look_twice(manager)
            assert used(manager) == 1

    run(go())


def test_a_broken_version_that_goes_and_comes_back_is_tried_again(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1, broken=True)
        async with managing(tmp_path, Loads(), retries=0) as manager:
            shutil.rmtree(tmp_path / "1")
            await manager.poll()
            write_version(tmp_path, 1)
            await manager.poll()
            assert used(manager) == 1

    run(go())


@pytest.mark.parametrize("error", [OSError("disk"), RuntimeError(), MemoryError(), KeyError("x")])
def test_whatever_a_load_raises_is_a_status(tmp_path: Path, error: Exception) -> None:
    async def go() -> None:
        def fail(*_: object) -> Any:
            raise error

        write_version(tmp_path, 1)
        model = ServedModel("m", tmp_path)
        manager = ModelManager([model], load=fail, poll_seconds=0)
        await manager.start()
        (status,) = manager.status("m")
        await manager.stop()
        assert (status.state, bool(status.message)) == (State.END, True)
        assert status.code is not Code.OK

    run(go())


def test_it_looks_by_itself(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, Loads(), poll_seconds=0.01) as manager:
            for version in (2, 3):
                write_version(tmp_path, version)
                await until(lambda v=version: available(manager) == [v])

    run(go())


def test_only_so_many_ended_versions_are_remembered(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1000)
        async with managing(tmp_path, Loads(), VersionPolicy.all()) as manager:
            for version in range(40):
                write_version(tmp_path, version)
                await manager.poll()
                shutil.rmtree(tmp_path / str(version))
                await manager.poll()
                await until(lambda v=version: states(manager).get(v) is State.END)
            ended = [v for v, state in states(manager).items() if state is State.END]
            assert ended == list(range(39, 7, -1))

    run(go())


def test_stop_drops_everything(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, loads := Loads(), poll_seconds=0.01) as manager:
            lease = manager.use("m")
            lease.__enter__()
        assert loads.open() == []
        lease.__exit__(None, None, None)

    run(go())


def test_the_observer_hears_of_each_state(tmp_path: Path) -> None:
    class Heard(Silent):
        def __init__(self) -> None:
            self.states: list[tuple[int, str, bool]] = []

        def version(self, *, model: str, version: int, state: str, seconds: float | None) -> None:
            assert model == "m"
            self.states.append((version, state, seconds is not None))

    async def go() -> None:
        write_version(tmp_path, 1)
        async with managing(tmp_path, Loads(), observer=(heard := Heard())) as manager:
            write_version(tmp_path, 2)
            write_version(tmp_path, 3, broken=True)
            await manager.poll()
            await until(lambda: states(manager)[1] is State.END)
        assert [state for v, state, _ in heard.states if v == 1] == [
            *("START", "LOADING", "AVAILABLE", "UNLOADING", "END")
        ]
        assert [state for v, state, _ in heard.states if v == 3] == ["START", "LOADING", "END"]
        assert (2, "AVAILABLE", True) in heard.states

    run(go())
