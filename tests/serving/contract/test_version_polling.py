"""Versions that come and go on disk, as clients see it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving.conftest import EMBEDDED, ModelFamily
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.setups import ALL, entry, latest, specific

pytestmark = pytest.mark.contract("sources/storage_path/file_system_storage_path_source_test.cc")

Serve = Callable[[Setup], Running]


def on_disk(
    family: ModelFamily, *versions: int, model: str = "default"
) -> dict[tuple[str, int], Path]:
    return {(model, version): family.half_plus_two for version in versions}


POLICIES: dict[str, tuple[str, tuple[int, ...], tuple[int, ...]]] = {
    "the newest, if nothing is said": ("", (17, 42), (42,)),
    "the newest, if no number is said": ("model_version_policy { latest {} }", (30, 42), (42,)),
    "the newest three": (latest(3), (17, 21, 30, 33, 42), (30, 33, 42)),
    "all": (ALL, (17, 42), (17, 42)),
    "these": (specific(17, 30), (17, 21, 30, 33), (17, 30)),
    "one by the time": (ALL, (20170111173521,), (20170111173521,)),
}


@pytest.mark.parametrize("case", POLICIES)
def test_policies(serve: Serve, family: ModelFamily, case: str) -> None:
    policy, there, served = POLICIES[case]
    server = serve(Setup(entry("default", more=policy), on_disk(family, *there)))
    (server.root / "default" / "non_numerical_child").mkdir()
    server.after_polls()
    server.wait_for("default", *served)


def test_no_version_asked_for_is_none_served(
    serve: Serve, family: ModelFamily, engine: str
) -> None:
    policy = "model_version_policy { specific {} }"
    both = entry("default", more=policy) + entry("other")
    versions = {**on_disk(family, 17, 42), **on_disk(family, 1, model="other")}
    if engine != EMBEDDED:
        pytest.skip("TF Serving does not start before each of its models has a version")
    server = serve(Setup(both, versions))
    server.after_polls()
    assert server.states("default") == {}


@pytest.mark.parametrize("there", [True, False], ids=["an empty folder", "no folder"])
def test_a_version_that_comes_after_the_start(
    serve: Serve, family: ModelFamily, engine: str, there: bool
) -> None:
    if engine != EMBEDDED:
        pytest.skip("TF Serving does not start before each of its models has a version")
    server = serve(Setup(entry("default")))
    if there:
        (server.root / "default" / "non_numerical_child").mkdir(parents=True)
    server.after_polls()
    assert server.available("default") == set()
    server.push(family.half_plus_two, "default", 3)
    server.wait_for("default", 3)


@pytest.mark.parametrize("names", [("00017", "30"), ("0001", "001", "00001")])
def test_leading_zeros_do_not_count(
    serve: Serve, family: ModelFamily, names: tuple[str, ...]
) -> None:
    versions = sorted({int(name) for name in names})
    setup = Setup(entry("default", more=ALL), on_disk(family, 900))
    server = serve(setup)
    for name in names:
        staging = server.root / "default" / f".staging-{name}"
        shutil.copytree(family.half_plus_two, staging)
        staging.rename(server.root / "default" / name)
    server.wait_for("default", *versions, 900)


def test_models_are_apart(serve: Serve, family: ModelFamily) -> None:
    server = serve(
        Setup(
            entry("first") + entry("second"),
            {**on_disk(family, 1, 3, model="first"), **on_disk(family, 42, model="second")},
        )
    )
    server.wait_for("first", 3)
    server.wait_for("second", 42)
    server.push(family.half_plus_two, "first", 4)
    server.wait_for("first", 4)
    assert server.available("second") == {42}


def test_the_set_of_models_changes(serve: Serve, family: ModelFamily) -> None:
    models = ("a", "b", "c")
    versions = {(m, 1): family.half_plus_two for m in models}
    server = serve(Setup(entry("a") + entry("b"), versions, reads_config_again=True))
    server.wait_for("a", 1)
    server.write_config(entry("b") + entry("c"))
    server.wait_for("c", 1)
    server.wait_for("a")
    assert server.available("b") == {1}


def test_the_policy_changes(serve: Serve, family: ModelFamily) -> None:
    server = serve(
        Setup(
            entry("default", more=latest(2)),
            on_disk(family, 1, 2, 3, 5, 8, 13),
            reads_config_again=True,
        )
    )
    server.wait_for("default", 8, 13)
    server.write_config(entry("default", more=specific(2, 5)))
    server.wait_for("default", 2, 5)


def test_versions_that_are_renamed_or_removed_are_no_longer_served(
    serve: Serve, family: ModelFamily
) -> None:
    server = serve(Setup(entry("default", more=ALL), on_disk(family, 1, 2, 3, 5, 8)))
    server.wait_for("default", 1, 2, 3, 5, 8)
    base = server.root / "default"
    for version in (2, 5):
        (base / str(version)).rename(base / f"{version}.denied")
    server.remove("default", 8)
    server.wait_for("default", 1, 3)


def test_the_last_version_goes_when_it_is_removed(serve: Serve, family: ModelFamily) -> None:
    server = serve(Setup(entry("default"), on_disk(family, 42)))
    server.wait_for("default", 42)
    server.remove("default", 42)
    server.wait_for("default")


def test_looking_only_once(serve: Serve, family: ModelFamily, engine: str) -> None:
    if engine != EMBEDDED:
        pytest.skip("the flag is given to TF Serving by the fixture, for all other cases")
    once = ("--file_system_poll_wait_seconds=0",)
    server = serve(Setup(entry("default"), on_disk(family, 3), flags=once))
    server.wait_for("default", 3)
    server.push(family.half_plus_two, "default", 4)
    server.after_polls()
    assert server.available("default") == {3}
