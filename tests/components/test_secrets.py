"""Secrets never show, and come from the environment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.secrets import expanded, redacted
from models.errors import BadInputError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me:hunter2@host:5432/base", "postgresql://me:***@host:5432/base"),
        ("postgresql+psycopg://me:a@b:c@host/base", "postgresql+psycopg://me:***@host/base"),
        ("postgresql://me:${PW}@host/base", "postgresql://me:${PW}@host/base"),
        ("postgresql://me:x${PW}@host/base", "postgresql://me:***@host/base"),
        ("https://me@host/base", "https://me@host/base"),
        ("https://:tok@host", "https://:***@host"),
        ("mysql://host/b?user=me&password=p%40w&x=1", "mysql://host/b?user=me&password=***&x=1"),
        ("https://host/?access_token=abc#top", "https://host/?access_token=***#top"),
        ("sqlite:///data.db", "sqlite:///data.db"),
        ("sqlite:////tmp/a@b:c/data.db", "sqlite:////tmp/a@b:c/data.db"),
        ("not a url", "not a url"),
    ],
)
def test_redacted(url: str, expected: str) -> None:
    assert redacted(url) == expected
    assert redacted(expected) == expected


@given(st.text("abcXYZ019:@-_.~!", min_size=1))
def test_no_password_survives(password: str) -> None:
    shown = redacted(f"postgresql://someone:{password}#@host/base".replace("#", ""))
    assert shown == "postgresql://someone:***@host/base"


def test_expanded_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMAN_TEST_PW", "p@ss")
    assert expanded("db://u:${ELMAN_TEST_PW}@h") == "db://u:p@ss@h"
    assert expanded("a $HOME ${A}${B}", environment={"A": "1", "B": "${A}"}) == "a $HOME 1${A}"


@pytest.mark.parametrize("text", ["${ELMAN_NOWHERE}", "x${ELMAN_NOWHERE}y"])
def test_missing_variable_is_named(text: str) -> None:
    with pytest.raises(BadInputError, match="ELMAN_NOWHERE is not set"):
        expanded(text)


@pytest.mark.parametrize("text", ["${}", "${a b}", "${1A}"])
def test_name_must_be_a_name(text: str) -> None:
    with pytest.raises(BadInputError, match="expected the name of an environment variable"):
        expanded(text)
