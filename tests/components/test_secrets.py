"""Secrets never show, and come from the environment."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from components import secrets
from components.secrets import expanded, redacted, scrubbed
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
        ("postgresql://me:pa/ss@host/base", "postgresql://me:***@host/base"),
        ("postgresql+psycopg://me:p?a#s/s@host/base", "postgresql+psycopg://me:***@host/base"),
        ("mysql://me:12/34@host/base", "mysql://me:***@host/base"),
        ("https://me:pa/ss@host/x", "https://me:***@host/x"),
        ("https://host:8080/a@b", "https://host:8080/a@b"),
        ("postgresql://me:${PW}@host:5432/base", "postgresql://me:${PW}@host:5432/base"),
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


@given(st.text("abcXYZ019:-_.~!/?#", min_size=1))
def test_what_sqlalchemy_takes_for_a_password_is_masked(password: str) -> None:
    url = f"postgresql://someone:{password}@host/base"
    assert sa.make_url(url).password == password
    assert redacted(url) == "postgresql://someone:***@host/base"


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is learned in a test is forgotten after it."""
    monkeypatch.setattr(secrets, "_seen", set())


@pytest.mark.usefixtures("forgetful")
def test_a_secret_that_was_put_into_a_url_is_known_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {
        "PW": "p@ss w/rd",
        "TOKEN": "t0ken-of-mine",
        "USER": "postgres",
        "ALL": "x://a:sec:ret@h",
    }
    assert scrubbed("driver: p@ss w/rd is wrong") == "driver: p@ss w/rd is wrong"
    expanded("postgresql://${USER}:${PW}@host/base?token=${TOKEN}", environment=known)
    expanded("${ALL}", environment=known)
    expanded("https://hooks.example.org/${TOKEN}/x", environment=known, secret=True)
    said = "FATAL: p@ss w/rd, p%40ss+w%2Frd, p%40ss%20w%2Frd; t0ken-of-mine; sec:ret"
    assert scrubbed(said) == "FATAL: ***, ***, ***; ***; ***"
    assert scrubbed("of the user postgres") == "of the user postgres"  # a name, no secret
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "set-and-never-used")
    assert scrubbed("got set-and-never-used") == "got ***"


def test_every_url_in_a_text_is_masked() -> None:
    said = "from postgresql://me:pa/ss@host/base, to 'https://a:b@c/d'."
    assert scrubbed(said) == "from postgresql://me:***@host/base, to 'https://a:***@c/d'."


def test_the_folder_of_a_shell_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", "/home/somebody/work")
    monkeypatch.setenv("MYSQL_PWD", "a-real-password")
    said = "see /home/somebody/work/report.html, not a-real-password"
    assert scrubbed(said) == "see /home/somebody/work/report.html, not ***"
