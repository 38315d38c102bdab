"""What set-up says when it cannot go on: one paragraph with what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

UNREACHABLE = """error: Request failed after 3 retries in 4.2s
  cause: Failed to fetch: the index
  cause: tcp connect error"""


def replace_tool(checkout: Any, name: str, script: str) -> None:
    path: Path = checkout.bin / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{script}\n")
    path.chmod(0o755)


def last_paragraph(said: str) -> str:
    lines = said.strip().splitlines()
    assert lines[-1].startswith("setup: "), said
    return lines[-1]


def test_no_python_at_all(bare: Any) -> None:
    status, said = bare.set_up()
    assert status == 1
    words = last_paragraph(said)
    assert "no Python 3.11 was found" in words
    assert "python3.11 does not start, python3 does not start" in words
    assert "apt-get install python3 python3-venv" in words
    assert "PYTHON=/path/to/python3.11" in words


def test_only_other_versions_are_there(bare: Any) -> None:
    bare.python("python3", version="3.13.1")
    bare.python("mine", version="3.10.4")
    _, said = bare.set_up(PYTHON="mine")
    words = last_paragraph(said)
    assert "mine is 3.10.4" in words
    assert "python3 is 3.13.1" in words


@pytest.mark.parametrize("name", ["python3", "python3.11"])
def test_each_usual_name_is_tried(bare: Any, name: str) -> None:
    bare.python(name)
    status, said = bare.set_up()
    assert status == 0
    assert f"{name}: 1.3 GB" in said


def test_the_named_python_comes_first_and_a_wrong_one_is_passed_over(checkout: Any) -> None:
    named = checkout.python("named", base="/opt/python")
    assert f"{named}: 1.3 GB" in checkout.set_up(PYTHON=str(named))[1]
    checkout.stamp.unlink()
    wrong = checkout.python("wrong", version="3.12.0")
    status, said = checkout.set_up(PYTHON=str(wrong))
    assert status == 0
    assert "python3.11: 1.3 GB" in said


def test_python_without_the_venv_module(bare: Any) -> None:
    bare.python(ensurepip=False)
    status, said = bare.set_up()
    assert status == 1
    words = last_paragraph(said)
    assert "venv or ensurepip is missing" in words
    assert "apt-get install python3.11-venv" in words
    assert not bare.venv.exists()


def test_a_second_python_is_taken_when_the_first_lacks_the_venv_module(bare: Any) -> None:
    bare.python(ensurepip=False)
    bare.python("python3")
    assert bare.set_up()[0] == 0


def test_a_disk_too_small_is_noticed_before_anything_is_downloaded(checkout: Any) -> None:
    replace_tool(checkout, "df", "printf 'Filesystem\\n/dev/x 9000 8000 1000 89%% /\\n'")
    status, said = checkout.set_up()
    assert status == 1
    assert "1000 MB are free and about 4000 MB are needed" in last_paragraph(said)
    assert checkout.calls == ["venv"]
    assert not checkout.stamp.exists()


@pytest.mark.parametrize(
    ("uv_says", "expected"),
    [
        (UNREACHABLE, "the package index could not be reached"),
        (
            "error: invalid peer certificate: UnknownIssuer",
            "the package index could not be reached",
        ),
        ("error: Hash mismatch for click==8.5.1", "a file other than the one that was locked"),
        ("error: No space left on device (os error 28)", "not enough disk space"),
        ("error: something new", "could not be installed"),
    ],
)
def test_an_installer_that_fails_is_shown_and_explained(
    checkout: Any, uv_says: str, expected: str
) -> None:
    status, said = checkout.set_up(UV_SAYS=uv_says)
    assert status == 1
    assert uv_says in said
    assert expected in last_paragraph(said)
    assert not checkout.stamp.exists()


def test_a_project_without_its_command_is_not_called_ready(checkout: Any) -> None:
    status, said = checkout.set_up(NO_COMMAND="1")
    assert status == 1
    assert "its command" in last_paragraph(said)
    assert not checkout.stamp.exists()


def test_a_platform_without_packages(checkout: Any) -> None:
    replace_tool(checkout, "uname", "echo Darwin arm64")
    status, said = checkout.set_up()
    assert status == 1
    assert "this machine is Darwin arm64" in last_paragraph(said)
    assert checkout.calls == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("global.index-url='mirror'\n", "mirror"),
        ("global.index-url='mirror'\ninstall.index-url='other'\n", "other"),
        (":env:.index-url='first'\nglobal.index-url='mirror'\n", "first"),
        ("global.extra-index-url='extra'\n", ""),
    ],
)
def test_uv_is_told_the_index_that_pip_has(checkout: Any, settings: str, expected: str) -> None:
    (checkout.bin.parent / "pip-settings").write_text(settings + "global.cert='/the/cert'\n")
    checkout.set_up()
    assert f"sync index={expected} cert=/the/cert" in checkout.calls


def test_what_uv_was_told_itself_stands(checkout: Any) -> None:
    (checkout.bin.parent / "pip-settings").write_text("global.index-url='mirror'\n")
    checkout.set_up(UV_DEFAULT_INDEX="own", SSL_CERT_FILE="/own/cert")
    assert "sync index=own cert=/own/cert" in checkout.calls


def test_a_configuration_file_of_uv_stands(checkout: Any) -> None:
    (checkout.bin.parent / "pip-settings").write_text("global.index-url='mirror'\n")
    configuration = checkout.bin.parent / ".config/uv/uv.toml"
    configuration.parent.mkdir(parents=True)
    configuration.touch()
    checkout.set_up()
    assert "sync index= cert=" in checkout.calls
