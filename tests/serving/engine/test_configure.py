"""Other models, policies, folders and labels while a manager runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel, VersionPolicy
from serving.engine.version_status import State
from serving.status import Code, ServingError
from tests.serving.engine.fake_versions import Loads, as_fake, write_version
from tests.serving.event_loop import run, until


@contextlib.asynccontextmanager
async def managing(
    *models: ServedModel, loads: Loads | None = None, **options: Any
) -> AsyncIterator[ModelManager]:
    manager = ModelManager(models, load=loads or Loads(), poll_seconds=0, **options)
    await manager.start()
    try:
        yield manager
    finally:
        await manager.stop()


def model(
    root: Path,
    name: str,
    *,
    policy: VersionPolicy | None = None,
    folder: str = "",
    labels: Mapping[str, int] | None = None,
) -> ServedModel:
    return ServedModel(name, root / (folder or name), policy or VersionPolicy(), labels or {})


def available(manager: ModelManager, name: str) -> list[int]:
    try:
        found = manager.status(name)
    except ServingError:
        return []
    return [status.version for status in found if status.state is State.AVAILABLE]


def used(manager: ModelManager, *args: Any) -> tuple[int, Path]:
    with manager.use(*args) as servable:
        return servable.version, as_fake(servable).path


def code_of(manager: ModelManager, *args: Any) -> Code:
    with pytest.raises(ServingError) as caught, manager.use(*args):
        pass
    return caught.value.code


def test_models_are_added_and_removed_and_those_that_stay_have_no_gap(tmp_path: Path) -> None:
    async def go() -> None:
        for name in ("gone", "stays", "comes"):
            write_version(tmp_path / name, 1)
        gone, stays, comes = (model(tmp_path, n) for n in ("gone", "stays", "comes"))
        async with managing(gone, stays, loads=(loads := Loads())) as manager:
            gate = loads.hold(2)
            write_version(tmp_path / "comes", 2)
            with manager.use("gone") as lent:
                configuring = asyncio.ensure_future(manager.configure([stays, comes]))
                await until(lambda: 2 in loads.started)
                assert used(manager, "stays")[0] == 1
                gate.set()
                await configuring
                assert available(manager, "comes") == [2]
                assert loads.started == [1, 1, 2]
                assert code_of(manager, "gone") is Code.NOT_FOUND
                assert manager.status("gone")[0].state is State.UNLOADING
                assert not as_fake(lent).closed
            await until(lambda: manager.status("gone")[0].state is State.END)
            await manager.configure([gone, stays, comes])
            assert used(manager, "gone")[0] == 1

    run(go())


def test_configuring_nothing_takes_all_away(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path / "m", 1)
        async with managing(model(tmp_path, "m")) as manager:
            await manager.configure([])
            assert code_of(manager, "m") is Code.NOT_FOUND

    run(go())


def test_another_policy_loads_before_it_drops(tmp_path: Path) -> None:
    async def go() -> None:
        for version in (1, 2, 3):
            write_version(tmp_path / "m", version)
        only = VersionPolicy.only
        async with managing(model(tmp_path, "m"), loads=(loads := Loads())) as manager:
            gate = loads.hold(1)
            wanted = model(tmp_path, "m", policy=only(1))
            configuring = asyncio.ensure_future(manager.configure([wanted]))
            await until(lambda: 1 in loads.started)
            assert used(manager, "m")[0] == 3
            gate.set()
            await configuring
            assert available(manager, "m") == [1]
            await manager.configure([model(tmp_path, "m", policy=VersionPolicy.all())])
            assert available(manager, "m") == [3, 2, 1]
            await manager.configure([model(tmp_path, "m", policy=VersionPolicy.newest(2))])
            assert available(manager, "m") == [3, 2]

    run(go())


def test_the_same_version_in_another_folder_is_another_version(tmp_path: Path) -> None:
    async def go() -> None:
        for folder in ("here", "there"):
            write_version(tmp_path / folder, 1)
        async with managing(
            model(tmp_path, "m", folder="here"), loads=(loads := Loads())
        ) as manager:
            await manager.configure([model(tmp_path, "m", folder="there")])
            assert used(manager, "m") == (1, tmp_path / "there" / "1")
            await until(lambda: len(loads.open()) == 1)
            (status,) = manager.status("m")
            assert status.state is State.AVAILABLE

    run(go())


def test_a_folder_that_holds_nothing_yet_takes_nothing_away(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path / "here", 1)
        async with managing(model(tmp_path, "m", folder="here")) as manager:
            await manager.configure([model(tmp_path, "m", folder="nowhere")])
            assert used(manager, "m")[0] == 1

    run(go())


@pytest.mark.parametrize("what", ["broken", "missing"])
def test_a_new_model_that_cannot_be_served_is_told_and_tried_further(
    tmp_path: Path, what: str
) -> None:
    async def go() -> None:
        write_version(tmp_path / "old", 1)
        if what == "broken":
            write_version(tmp_path / "new", 1, broken=True)
        old, new = model(tmp_path, "old"), model(tmp_path, "new")
        async with managing(old) as manager:
            with pytest.raises(ServingError) as caught:
                await manager.configure([old, new])
            assert caught.value.code is Code.UNKNOWN
            assert caught.value.message == "Some models did not become available: {new}"
            assert used(manager, "old")[0] == 1
            write_version(tmp_path / "new", 2)
            await manager.poll()
            assert used(manager, "new")[0] == 2

    run(go())


def test_two_models_of_one_name_change_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path / "m", 1)
        async with managing(model(tmp_path, "m")) as manager:
            with pytest.raises(ServingError, match="Illegal to list model x multiple times"):
                await manager.configure([model(tmp_path, "x"), model(tmp_path, "x", folder="y")])
            assert used(manager, "m")[0] == 1

    run(go())


def test_labels_name_versions(tmp_path: Path) -> None:
    async def go() -> None:
        for version in (1, 2, 3):
            write_version(tmp_path / "m", version)
        everything = VersionPolicy.all()
        labels = {"stable": 1, "canary": 2}
        async with managing(model(tmp_path, "m", policy=everything, labels=labels)) as manager:
            assert used(manager, "m", None, "stable")[0] == 1
            assert used(manager, "m", None, "canary")[0] == 2
            assert used(manager, "m")[0] == 3
            assert [s.version for s in manager.status("m", label="canary")] == [2]
            for ask in (
                lambda: manager.status("m", label="x"),
                lambda: used(manager, "m", None, "x"),
            ):
                with pytest.raises(ServingError) as caught:
                    ask()
                assert caught.value.code is Code.INVALID_ARGUMENT
                assert caught.value.message == "Unrecognized servable version label: x"
            moved = model(tmp_path, "m", policy=everything, labels={"stable": 2})
            await manager.configure([moved])
            assert used(manager, "m", None, "stable")[0] == 2
            with pytest.raises(ServingError, match="Unrecognized"):
                used(manager, "m", None, "canary")

    run(go())


def test_a_label_for_a_version_that_is_not_available_is_refused(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path / "m", 1)
        async with managing(model(tmp_path, "m", labels={"stable": 1})) as manager:
            with pytest.raises(ServingError) as caught:
                await manager.configure([model(tmp_path, "m", labels={"stable": 2})])
            assert caught.value.code is Code.FAILED_PRECONDITION
            assert caught.value.message == (
                "Request to assign label to version 2 of model m, which is not currently "
                "available for inference"
            )
            assert used(manager, "m", None, "stable")[0] == 1

    run(go())


def test_such_a_label_at_the_start_ends_the_start(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path / "m", 1)
        manager = ModelManager(
            [model(tmp_path, "m", labels={"x": 2})], load=(loads := Loads()), poll_seconds=0
        )
        with pytest.raises(ServingError, match="Request to assign label to version 2"):
            await manager.start()
        assert loads.open() == []

    run(go())


def test_where_labels_come_before_versions_only_moving_one_is_refused(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path / "m", 1)
        start = model(tmp_path, "m", labels={"stable": 1, "next": 2})
        async with managing(start, labels_before_versions=True) as manager:
            assert code_of(manager, "m", None, "next") is Code.NOT_FOUND
            await manager.configure([start])
            with pytest.raises(ServingError, match="Request to assign label to version 2"):
                await manager.configure([model(tmp_path, "m", labels={"stable": 2})])
            write_version(tmp_path / "m", 2)
            await manager.poll()
            assert used(manager, "m", None, "next")[0] == 2

    run(go())


def test_only_so_many_removed_models_are_remembered(tmp_path: Path) -> None:
    async def go() -> None:
        write_version(tmp_path / "m", 1)
        async with managing() as manager:
            for i in range(40):
                await manager.configure([model(tmp_path, f"m{i}", folder="m")])
            await manager.configure([])

            def known(i: int) -> bool:
                with contextlib.suppress(ServingError):
                    return bool(manager.status(f"m{i}"))
                return False

            assert [i for i in range(40) if known(i)] == list(range(8, 40))

    run(go())


def test_a_name_of_any_length_is_refused_in_few_words(tmp_path: Path) -> None:
    async def go() -> None:
        async with managing() as manager:
            name = "x" * 1_000_000
            for ask in (
                lambda: used(manager, name),
                lambda: used(manager, name, 1),
                lambda: used(manager, "m", None, name),
                lambda: manager.status(name),
            ):
                with pytest.raises(ServingError) as caught:
                    ask()
                assert len(caught.value.message) < 300

    run(go())
