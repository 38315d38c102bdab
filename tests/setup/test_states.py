"""What set-up does with the .venv it finds: leave it, bring it up to date, or make it anew."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ANEW = ["venv", "pip", "sync index= cert=", "editable"]
IN_PLACE = ANEW[1:]


def append(path: Path, text: str = "\n# changed\n") -> None:
    path.write_text(path.read_text() + text)


def test_the_first_time_everything_is_made_and_the_stamp_written(checkout: Any) -> None:
    status, said = checkout.set_up()
    assert status == 0, said
    assert checkout.calls == ANEW
    assert (checkout.venv / "bin/elman").exists()
    interpreter, digest = checkout.stamp.read_text().splitlines()
    assert interpreter == f"3.11.2 /usr {checkout.root}"
    assert len(digest) == 64


def test_the_second_time_nothing_is_run(checkout: Any) -> None:
    checkout.set_up()
    checkout.forget_calls()
    status, said = checkout.set_up()
    assert (status, checkout.calls) == (0, [])
    assert "up to date" in said


@pytest.mark.parametrize(
    "changed",
    [
        "requirements/requirements.lock",
        "requirements/bootstrap.lock",
        "requirements/setup.sh",
        "pyproject.toml",
    ],
)
def test_a_changed_pin_is_installed_in_place(checkout: Any, changed: str) -> None:
    checkout.set_up()
    checkout.forget_calls()
    append(checkout.root / changed)
    assert checkout.set_up()[0] == 0
    assert checkout.calls == IN_PLACE
    checkout.forget_calls()
    checkout.set_up()
    assert checkout.calls == []


def remove_stamp(checkout: Any) -> None:
    checkout.stamp.unlink()


def remove_python(checkout: Any) -> None:
    (checkout.venv / "bin/python").unlink()


def dangle_python(checkout: Any) -> None:
    remove_python(checkout)
    (checkout.venv / "bin/python").symlink_to("/nowhere/python3.11")


def break_python(checkout: Any) -> None:
    (checkout.venv / "bin/python").write_text("#!/usr/bin/env bash\nexit 1\n")


def remove_command(checkout: Any) -> None:
    (checkout.venv / "bin/elman").unlink()


def remove_uv(checkout: Any) -> None:
    (checkout.venv / "bin/uv").unlink()


def truncate_stamp(checkout: Any) -> None:
    checkout.stamp.write_text("")


def put_a_file_there(checkout: Any) -> None:
    checkout.venv.rename(checkout.root / "was")
    checkout.venv.write_text("not a folder")


@pytest.mark.parametrize(
    "harm",
    [
        remove_stamp,
        remove_python,
        dangle_python,
        break_python,
        remove_command,
        remove_uv,
        truncate_stamp,
        put_a_file_there,
    ],
)
def test_a_harmed_venv_is_made_anew(checkout: Any, harm: Callable[[Any], None]) -> None:
    checkout.set_up()
    checkout.forget_calls()
    harm(checkout)
    status, said = checkout.set_up()
    assert status == 0, said
    assert checkout.calls == ANEW
    checkout.forget_calls()
    checkout.set_up()
    assert checkout.calls == []


def test_another_interpreter_behind_the_venv_makes_it_anew(checkout: Any) -> None:
    checkout.set_up()
    checkout.forget_calls()
    checkout.python(version="3.11.9")
    (checkout.venv / "bin/python").write_text((checkout.bin / "python3.11").read_text())
    checkout.set_up()
    assert checkout.calls == ANEW


def test_a_moved_checkout_makes_it_anew_for_its_commands_name_the_old_place(checkout: Any) -> None:
    checkout.set_up()
    checkout.forget_calls()
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    checkout.set_up()
    assert checkout.calls == ANEW


def test_naming_another_python_makes_it_anew_and_the_same_one_does_not(checkout: Any) -> None:
    checkout.set_up()
    checkout.forget_calls()
    checkout.set_up(PYTHON="python3.11")
    assert checkout.calls == []
    other = checkout.python("other-python", base="/opt/python")
    checkout.set_up(PYTHON=str(other))
    assert checkout.calls == ANEW


def wait_for_the_installer(checkout: Any) -> None:
    deadline = time.monotonic() + 30
    while "sync index= cert=" not in checkout.calls:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_interrupt_at_a_terminal_ends_it_without_a_second_try(checkout: Any) -> None:
    try:
        ours, theirs = os.openpty()
    except OSError as error:
        pytest.skip(f"this system gives no pseudo-terminals: {error}")
    process = checkout.start(stderr=theirs, UV_TAKES="30")
    wait_for_the_installer(checkout)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=20) == 130
    os.close(ours)
    os.close(theirs)
    assert checkout.calls == ["venv", "pip", "sync index= cert="]
    assert not checkout.stamp.exists()


def test_killed_midway_leaves_no_stamp_and_the_next_run_starts_over(checkout: Any) -> None:
    process = checkout.start(UV_TAKES="30")
    wait_for_the_installer(checkout)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not checkout.stamp.exists()
    checkout.forget_calls()
    assert checkout.set_up()[0] == 0
    assert checkout.calls == ANEW


def test_killed_during_an_update_leaves_no_stamp_either(checkout: Any) -> None:
    checkout.set_up()
    append(checkout.root / "requirements/requirements.lock")
    assert checkout.set_up(UV_SAYS="killed")[0] == 1
    assert not checkout.stamp.exists()
    checkout.forget_calls()
    checkout.set_up()
    assert checkout.calls == ANEW


def test_two_at_once_install_once(checkout: Any) -> None:
    both = [checkout.start(UV_TAKES="0.5") for _ in range(2)]
    said = [process.communicate(timeout=30)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert checkout.calls == ANEW
    assert sum("waiting for it" in words for words in said) == 1
    assert sum("up to date" in words for words in said) == 1


def test_a_venv_that_is_a_link_is_filled_where_it_points(checkout: Any, tmp_path: Path) -> None:
    checkout.set_up()
    larger = tmp_path / "larger-disk"
    checkout.venv.rename(larger)
    checkout.venv.symlink_to(larger)
    checkout.forget_calls()
    assert checkout.set_up()[0] == 0
    assert checkout.calls == []
