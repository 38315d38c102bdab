"""Versions as they come and go under a manager that looks when it is told to."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from serving.engine.settings import VersionPolicy
from serving.engine.version_status import State
from serving.observer import Silent
from serving.status import Code, ServingError
from tests.serving.engine.fake_versions import Loads, as_fake, write_version
from tests.serving.engine.managing import available, managing, refused, states, used
from tests.serving.event_loop import run, until


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
