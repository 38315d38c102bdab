"""Which names in a base path are versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine.source import LARGEST, versions_in


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("1", 1),
        ("0", 0),
        ("00017", 17),
        ("20170111173521", 20170111173521),
        (str(LARGEST), LARGEST),
    ],
)
def test_decimal_numbers_are_versions(tmp_path: Path, name: str, version: int) -> None:
    (tmp_path / name).mkdir()
    assert versions_in(tmp_path) == {version: tmp_path / name}


@pytest.mark.parametrize(
    "name",
    [
        *("+5", "-5", " 5", "5 ", "5.0", "5a", "0x5", "1_000", "٣", "²", "", ".5", "1e3", "1" * 65),
        *(str(LARGEST + 1), ".staging-5", ".rolled-back-5", "variables"),
    ],
)
def test_anything_else_is_no_version(tmp_path: Path, name: str) -> None:
    if name:
        (tmp_path / name).mkdir()
    assert versions_in(tmp_path) == {}


def test_files_are_no_versions(tmp_path: Path) -> None:
    (tmp_path / "5").touch()
    assert versions_in(tmp_path) == {}


def test_a_link_inside_the_base_path_is_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "5").symlink_to("data")
    assert versions_in(tmp_path) == {5: tmp_path / "5"}


@pytest.mark.parametrize("target", ["../outside", "/", ".", "5", "nowhere"])
def test_other_links_are_not(tmp_path: Path, target: str) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (tmp_path / "outside").mkdir()
    (base / "5").symlink_to(target)
    found = versions_in(base)
    assert found == ({5: base / "5"} if target == "." else {})


def test_a_base_path_that_is_a_link_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "data" / "5").mkdir(parents=True)
    (tmp_path / "base").symlink_to("data")
    assert versions_in(tmp_path / "base") == {5: tmp_path / "base" / "5"}


def test_of_several_names_for_a_number_the_plain_one_counts(tmp_path: Path) -> None:
    for name in ("01", "1", "001"):
        (tmp_path / name).mkdir()
    assert versions_in(tmp_path) == {1: tmp_path / "1"}


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_what_cannot_be_listed_is_not_empty(tmp_path: Path, kind: str) -> None:
    base = tmp_path / "base"
    if kind == "file":
        base.touch()
    assert versions_in(base) is None


@given(st.sets(st.integers(0, LARGEST), max_size=8))
def test_the_newest_is_first(numbers: set[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            (Path(folder) / str(number)).mkdir()
        found = versions_in(Path(folder))
    assert found is not None
    assert list(found) == sorted(numbers, reverse=True)
