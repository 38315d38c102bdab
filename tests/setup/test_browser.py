"""How a machine gets the browser that tests look through."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "requirements/browser.sh"
APT = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in
  *update) exit "${UPDATE:-0}" ;;
  *chromium) [ -n "${BROKEN:-}" ] && exit 100; touch "$BIN/chromium" && chmod +x "$BIN/chromium" ;;
esac
"""


class Machine:
    """A PATH of its own, with the tools that the script may use and stand-ins for the others."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.calls = folder / "bin", folder / "calls"
        self.bin.mkdir()
        for tool in ("bash", "env", "touch", "chmod"):
            (self.bin / tool).symlink_to(shutil.which(tool) or os.devnull)

    def has(self, name: str, text: str = "#!/usr/bin/env bash\n") -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def run(self, user: str, **variables: str) -> tuple[int, str, list[str]]:
        """Exit status, words, and what apt-get was asked for."""
        self.has("id", f"#!/usr/bin/env bash\necho {user}\n")
        done = subprocess.run(
            [str(self.bin / "bash"), str(SCRIPT)],
            env={"PATH": str(self.bin), "BIN": str(self.bin), "CALLS": str(self.calls)} | variables,
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        asked = self.calls.read_text().splitlines() if self.calls.exists() else []
        assert done.stdout == ""
        return done.returncode, done.stderr, [line.split()[-1] for line in asked]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_browser_that_is_there_is_enough(machine: Machine) -> None:
    machine.has("apt-get", APT)
    machine.has("google-chrome")
    status, said, asked = machine.run("0")
    assert (status, asked) == (0, [])
    assert "google-chrome is here" in said


def test_root_installs_it_once(machine: Machine) -> None:
    machine.has("apt-get", APT)
    assert machine.run("0")[::2] == (0, ["update", "chromium"])
    assert machine.run("0")[::2] == (0, ["update", "chromium"])


def test_others_do_so_by_sudo(machine: Machine) -> None:
    machine.has("apt-get", APT)
    machine.has("sudo", '#!/usr/bin/env bash\n[ "$1" = -n ] && shift && exec "$@"\n')
    machine.has("true")
    assert machine.run("1000")[::2] == (0, ["update", "chromium"])


@pytest.mark.parametrize(
    ("user", "sudo", "words"),
    [
        ("1000", None, "only root can install it"),
        ("1000", "#!/usr/bin/env bash\nexit 1\n", "only root can install it"),
        ("0", None, "no apt-get"),
    ],
)
def test_where_it_cannot_be_had_that_is_said_and_the_tests_decide(
    machine: Machine, user: str, sudo: str | None, words: str
) -> None:
    if sudo is not None:
        machine.has("sudo", sudo)
    status, said, asked = machine.run(user)
    assert (status, asked) == (0, [])
    assert words in said


@pytest.mark.parametrize(("variables"), [{"UPDATE": "100"}, {"BROKEN": "1"}])
def test_packages_that_cannot_be_had_are_no_end_of_the_set_up(
    machine: Machine, variables: dict[str, str]
) -> None:
    machine.has("apt-get", APT)
    status, said, _ = machine.run("0", **variables)
    assert status == 0
    assert "could not be installed" in said
