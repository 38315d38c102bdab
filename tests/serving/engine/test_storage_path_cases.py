"""Which versions a policy selects of a folder: the cases of TF Serving's storage path source.

There a version is any folder; here its files must be there too, so each gets some.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from serving.engine.look import look
from serving.engine.settings import ServedModel, VersionPolicy
from tests.serving.engine.fake_versions import write_version

SOURCE = "sources/storage_path/file_system_storage_path_source_test.cc"
pytestmark = pytest.mark.contract(SOURCE)

FIVE = ("non_numerical_child", "42", "33", "30", "21", "17")


@dataclass(frozen=True)
class Case:
    """Folders, a policy, and the folders that it selects, by version."""

    id: str
    folders: tuple[str, ...]
    policy: VersionPolicy
    selected: dict[int, str]


CASES = [
    Case("NoVersionsAtStartup", ("non_numerical_child",), VersionPolicy(), {}),
    Case("MultipleVersions", ("non_numerical_child", "42", "17"), VersionPolicy(), {42: "42"}),
    Case(
        "MultipleVersionsAtTheSameTime",
        ("non_numerical_child", "42", "17"),
        VersionPolicy.all(),
        {17: "17", 42: "42"},
    ),
    Case("NLatestVersions", FIVE, VersionPolicy.newest(3), {42: "42", 33: "33", 30: "30"}),
    Case("SpecificVersions", FIVE, VersionPolicy.only(17, 30), {17: "17", 30: "30"}),
    Case(
        "SpecificVersionsLeadingZeros",
        ("non_numerical_child", "42", "33", "30", "21", "00017"),
        VersionPolicy.only(17, 30),
        {17: "00017", 30: "30"},
    ),
    Case("SpecificVersionsEmpty", FIVE, VersionPolicy.only(), {}),
    Case("DefaultVersionPolicy", FIVE[:4], VersionPolicy(), {42: "42"}),
    Case("DefaultNumLatestVersions", FIVE[:4], VersionPolicy.newest(0), {42: "42"}),
    Case(
        "ParseTimestampedVersion",
        ("20170111173521",),
        VersionPolicy.all(),
        {20170111173521: "20170111173521"},
    ),
    Case(
        "DuplicateVersions",
        ("non_numerical_child", "0001", "001", "00001"),
        VersionPolicy(),
        {1: "00001"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_selected(tmp_path: Path, case: Case) -> None:
    assert selected(tmp_path, case.folders, case.policy) == case.selected


def test_no_base_path_is_not_an_empty_one(tmp_path: Path) -> None:
    assert look(ServedModel("m", tmp_path / "nowhere"), {}) is None


def test_files_appear_after_startup(tmp_path: Path) -> None:
    base = tmp_path / "base"
    assert look(ServedModel("m", base), {}) is None
    assert selected(base, ("3",), VersionPolicy()) == {3: "3"}


def test_change_version_policy(tmp_path: Path) -> None:
    folders = ("1", "02", "3", "5", "8", "13")
    assert selected(tmp_path, folders, VersionPolicy.newest(2)) == {13: "13", 8: "8"}
    assert selected(tmp_path, (), VersionPolicy.only(2, 5)) == {2: "02", 5: "5"}


def test_servable_version_dir_renamed(tmp_path: Path) -> None:
    folders = ("1", "2", "3", "5", "8")
    everything = VersionPolicy.all()
    assert selected(tmp_path, folders, everything) == {int(f): f for f in folders}
    for version in ("2", "5"):
        (tmp_path / version).rename(tmp_path / f"{version}.denied")
    (tmp_path / "8").rename(tmp_path / ".gone")
    assert selected(tmp_path, (), everything) == {1: "1", 3: "3"}


def selected(base: Path, folders: tuple[str, ...], policy: VersionPolicy) -> dict[int, str]:
    for folder in folders:
        write_version(base, folder)
    seen = look(ServedModel("m", base, policy), {})
    assert seen is not None
    return {version: path.name for version, path in seen.wanted.items()}
