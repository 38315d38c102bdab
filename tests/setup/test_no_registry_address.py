"""No tracked file says where packages come from: that is for each machine to say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

ADDRESS = re.compile(
    r"""
      pypi\.org | pythonhosted\.org | registry\.npmjs | conda\.anaconda\.org
    | (extra-)?index[-_]url ["']? [ \t]* [=: ] [ \t]* ["']? (https?|file)://
    | (UV_DEFAULT_INDEX | UV_INDEX(_URL)? | PIP_INDEX_URL) [ \t]* [=:] [ \t]* ["']? (https?|file)://
    | (https?|file)://[^\s"']+ /simple/? (["'\s]|$)
    | "resolved" [ ]* : [ ]* "https?://
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


def tracked_files() -> list[Path]:
    # A checkout may belong to another user (a container's mount): git refuses it unless told.
    command = ["git", "-c", "safe.directory=*", "-C", str(REPOSITORY), "ls-files", "-z"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip(f"not a git checkout, so no file is tracked: {listing.stderr.strip()}")
    return [REPOSITORY / name for name in listing.stdout.split("\0") if name]


def test_no_tracked_file_names_a_registry() -> None:
    named = []
    for path in tracked_files():
        if not path.is_file():
            continue
        found = ADDRESS.search(path.read_text(encoding="utf-8", errors="replace"))
        if found:
            named.append(f"{path.relative_to(REPOSITORY)}: {found.group().strip()}")
    assert not named


def test_no_lock_of_a_kind_that_records_addresses() -> None:
    kinds = {"uv.lock", "poetry.lock", "Pipfile.lock"}
    assert not [path for path in tracked_files() if path.name in kinds]


@pytest.mark.parametrize(
    "text",
    [
        "--index-url " + "https://example.com/x",
        "index-url = " + "https://example.com/x",
        "PIP_INDEX_URL: " + "'https://example.com/x'",
        "mirror: " + "https://example.com/root/" + "simple/",
        "https://" + "pypi" + ".org/project/tfx",
    ],
)
def test_the_pattern_finds_what_it_is_for(text: str) -> None:
    assert ADDRESS.search(text)


def test_the_pattern_passes_ordinary_addresses() -> None:
    assert not ADDRESS.search("see https://www.apache.org/licenses/ and index_url()")
