"""Versions that are broken, half-written or gone, under a manager that looks when it is told."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from serving.engine.look import look
from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel
from serving.engine.version_status import State, VersionStatus
from serving.status import Code
from tests.serving.engine.fake_versions import Loads, complete, write_half, write_version
from tests.serving.engine.managing import available, look_twice, managing, states, used
from tests.serving.event_loop import run, until


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


def test_start_waits_for_all_attempts_however_slow_the_folder_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load can fail while the folder is being looked at for the load before it."""

    def slow(model: ServedModel, known: Any) -> Any:
        time.sleep(0.03)
        return look(model, known)

    async def go() -> None:
        for version in range(1, 5):
            write_version(tmp_path, version, broken=version > 1)
        monkeypatch.setattr("serving.engine.versions.look", slow)
        async with managing(tmp_path, Loads()) as manager:
            assert available(manager) == [1]

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
