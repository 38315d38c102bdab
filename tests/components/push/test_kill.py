"""SIGKILL between any two steps of a push, a retirement or a rollback."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.push.repository import ModelRepository
from components.source_digest import ROOT

MakeModel = Callable[..., Path]

# The operations, on a directory that holds versions 10 (model 1), 20 (model 2) and 30 (model 3).
OPERATIONS = {
    "push": "repository.push(Path(model), clock=lambda: 40)",
    "retire": "repository.retire(1, clock=lambda: 40)",
    "rollback": "repository.rollback(clock=lambda: 40)",
}
SCRIPT = """
import os, signal, sys
from pathlib import Path
from components.push.repository import ModelRepository

base, model, kill_at = sys.argv[1], sys.argv[2], int(sys.argv[3])
done = 0

def checkpoint(step):
    global done
    print(step, flush=True)
    if done == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    done += 1

repository = ModelRepository(Path(base), checkpoint=checkpoint)
"""
# Steps that must occur, so that a renamed hook cannot make the test pass by killing nothing.
EXPECTED = {
    "push": {"staging made", "file copied", "copy verified", "version reserved", "renamed"},
    "retire": {"retired renamed", "retired recorded", "retired deleted"},
    "rollback": {"rollback checked", "rollback renamed", "rolled_back recorded"},
}


def contents(root: Path) -> dict[str, bytes | None]:
    return {
        p.relative_to(root).as_posix(): p.read_bytes() if p.is_file() else None
        for p in root.rglob("*")
    }


def run(operation: str, base: Path, model: Path, kill_at: int) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + OPERATIONS[operation], base, model, str(kill_at)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("operation", list(OPERATIONS))
def test_killed_at_any_step(tmp_path: Path, make_model: MakeModel, operation: str) -> None:
    models = {n: make_model(n) for n in (1, 2, 3, 4, 5)}
    seen: list[str] = []
    for kill_at in range(100):
        base = tmp_path / f"serving-{kill_at}"
        repository = ModelRepository(base)
        for number in (1, 2, 3):
            repository.push(models[number], clock=lambda number=number: number * 10)
        code, steps = run(operation, base, models[4], kill_at)
        originals = [contents(models[n]) for n in (1, 2, 3, 4)]

        # Whatever a model server can see is a complete copy of some model, and the newest seen is
        # one of the two states: before or after the operation.
        for version in repository.versions():
            assert contents(repository.path(version)) in originals, (steps, version)
        before, after = {"push": (30, 40), "retire": (30, 30), "rollback": (30, 20)}[operation]
        assert repository.live() in (before, after), steps

        # The next push works, gets a higher number than any before, and cleans up.
        pushed = repository.push(models[5], clock=lambda: 35)
        assert pushed.version is not None
        assert pushed.version > max(30, repository.versions()[-2])
        names = {p.name for p in base.iterdir()}
        left = {n for n in names if n.startswith((".staging", ".retired")) or n.endswith(".tmp")}
        assert not left, (steps, left)
        # What was rolled back before the kill is refused, whether or not it was written down.
        if repository.rolled_back():
            assert repository.push(models[3]).version is None, steps

        if code == 0:
            seen = steps
            break
        assert len(steps) == kill_at + 1
    assert set(seen) >= EXPECTED[operation]


def test_a_half_deleted_version_is_finished_off(tmp_path: Path, make_model: MakeModel) -> None:
    repository = ModelRepository(tmp_path / "serving")
    repository.push(make_model(1), clock=lambda: 10)
    half = repository.base / ".retired-55-0123456789abcdef"
    (half / "variables").mkdir(parents=True)
    assert repository.push(make_model(2), clock=lambda: 20).version == 56
    assert not half.exists()
