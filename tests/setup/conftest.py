"""A checkout in miniature: the real set-up script among fake interpreters and a fake uv."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# What the script may use of the system: nothing else is on its PATH, so that these tests also show
# what a fresh machine must have.
TOOLS = (
    *("awk", "bash", "cat", "cp", "cut", "df", "dirname", "env", "flock", "grep"),
    *("mkdir", "mktemp", "mv", "rm", "sed", "sha256sum", "sleep", "tee", "touch", "uname"),
)

FAKE_PYTHON = r"""#!/usr/bin/env bash
here=$(dirname "$0")
case "$*" in
  *version_info*) echo "@VERSION@ @BASE@" ;;
  *"import ensurepip"*) exit @ENSUREPIP@ ;;
  *_base_executable*) echo "@PATH@" ;;
  *"-m venv"*)
    echo venv >>"$CALLS"
    rm -rf "${!#}" && mkdir -p "${!#}/bin" && cp "$0" "${!#}/bin/python" ;;
  *"-m pip config list"*) cat "$PIP_SETTINGS" ;;
  *"-m pip install"*) echo pip >>"$CALLS"; cp "$FAKE_UV" "$here/uv" ;;
  *) echo "unexpected: $*" >&2; exit 1 ;;
esac
"""

FAKE_UV = r"""#!/usr/bin/env bash
here=$(dirname "$0")
trap 'exit 130' INT
case "$*" in
  *"pip sync"*)
    echo "sync index=${UV_DEFAULT_INDEX:-} cert=${SSL_CERT_FILE:-}" >>"$CALLS"
    sleep "${UV_TAKES:-0}"
    [ -z "${UV_SAYS:-}" ] || { echo "$UV_SAYS" >&2; exit 2; } ;;
  *"--editable"*)
    echo editable >>"$CALLS"
    [ -n "${NO_COMMAND:-}" ] || cp "$0" "$here/elman" ;;
esac
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Checkout:
    """A folder with the script, a lock, and a PATH of its own."""

    root: Path
    bin: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def stamp(self) -> Path:
        return self.venv / "set-up"

    @property
    def calls(self) -> list[str]:
        path = self.bin.parent / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def forget_calls(self) -> None:
        (self.bin.parent / "calls").unlink(missing_ok=True)

    def python(
        self,
        name: str = "python3.11",
        version: str = "3.11.2",
        base: str = "/usr",
        ensurepip: bool = True,
    ) -> Path:
        path = self.bin / name
        text = FAKE_PYTHON.replace("@VERSION@", version).replace("@BASE@", base)
        text = text.replace("@ENSUREPIP@", "0" if ensurepip else "1").replace("@PATH@", str(path))
        return executable(path, text)

    def start(self, stderr: int = subprocess.PIPE, **variables: str) -> subprocess.Popen[str]:
        beside = self.bin.parent
        environment = {
            "PATH": str(self.bin),
            "HOME": str(beside),
            "CALLS": str(beside / "calls"),
            "PIP_SETTINGS": str(beside / "pip-settings"),
            "FAKE_UV": str(beside / "fake-uv"),
            **self.variables,
            **variables,
        }
        return subprocess.Popen(
            [str(self.bin / "bash"), str(self.root / "requirements/setup.sh")],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            # A test run started in the background ignores Ctrl-C, and so would its children.
            preexec_fn=_heed_interrupts,
        )

    def set_up(self, **variables: str) -> tuple[int, str]:
        """Runs the script to its end: its exit status and what it said on stderr."""
        process = self.start(**variables)
        _, said = process.communicate(timeout=30)
        return process.returncode, said


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout on a machine without any Python."""
    checkout = Checkout(root=tmp_path / "checkout", bin=tmp_path / "bin")
    shutil.copytree(REPOSITORY / "requirements", checkout.root / "requirements")
    (checkout.root / "pyproject.toml").write_text("[project]\n")
    checkout.bin.mkdir()
    for tool in TOOLS:
        (checkout.bin / tool).symlink_to(shutil.which(tool) or os.devnull)
    executable(tmp_path / "fake-uv", FAKE_UV)
    (tmp_path / "pip-settings").touch()
    return checkout


@pytest.fixture
def checkout(bare: Checkout) -> Checkout:
    """A checkout on a machine with Python 3.11."""
    bare.python()
    return bare
