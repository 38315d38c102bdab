"""The processes of sides, and what is said to them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cells import recipes
from benchmarks.cells.measure import measure
from benchmarks.cells.recipes import Recipe
from benchmarks.cells.side import ROOT, Side, SideFailedError, environment
from benchmarks.cells.work import Work

TALK = """
from benchmarks.cells.channel import Channel
channel = Channel()
print("noise of a library")
channel.on("check", lambda: {"fine": True})
channel.wait_for_turn()
print("more noise")
channel.end_turn(3, 0.5)
channel.wait_for_turn()
print("never")
"""


def test_answers_are_alone_on_their_pipe() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TALK],
        input='"check"\n"turn"\n"check"\n',
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    first, turn, again = map(json.loads, done.stdout.splitlines())
    assert first == again == {"fine": True}
    assert (turn["steps"], turn["loss"]) == (3, 0.5)
    assert turn["seconds"] >= 0
    assert "noise" in done.stderr
    assert "never" not in done.stderr  # nobody asked for a second turn


def test_a_side_that_ends_is_told_with_its_own_words(tmp_path: Path) -> None:
    broken = Recipe("broken", "there is no such module", "no_such_module")
    with (
        Side(broken, Path(sys.executable), ["cpu"], tmp_path / "words.txt") as side,
        pytest.raises(SideFailedError, match=r"broken.*check(.|\n)*no_such_module"),
    ):
        side.ask("check")


def test_a_process_has_the_variables_of_its_recipe_and_none_of_the_callers() -> None:
    outer = {"PATH": "/bin", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
    found = environment(outer, recipes.TORCH_MALLOC.environment, "cpu")
    assert found["PATH"] == "/bin"
    assert found["CUDA_VISIBLE_DEVICES"] == "-1"
    assert {k for k in found if k.startswith("MALLOC_")} == set(recipes.NO_MMAP)
    assert "OMP_NUM_THREADS" not in found
    shared = environment({}, {}, "gpu")
    assert "CUDA_VISIBLE_DEVICES" not in shared
    assert shared["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert environment({"CUDA_VISIBLE_DEVICES": "1"}, {}, "gpu")["CUDA_VISIBLE_DEVICES"] == "1"


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("masked", [False, True], ids=["forecast", "masked"])
def test_keras_elmans_loop_and_its_bare_step_do_the_same_work(tmp_path: Path, masked: bool) -> None:
    work = Work("small", "lstm", 3, 4, 6, 2, 6, 1 if masked else 3, masked=masked, turn=3)
    sides = [recipes.KERAS, recipes.ELMAN, recipes.ELMAN_BARE]
    pythons = {"own": Path(sys.executable)}
    found = measure(work, sides, pythons, tmp_path, device="cpu", rounds=2)
    assert list(found.seconds) == [side.name for side in sides]
    assert all(len(f.values) == 2 and min(f.values) > 0 for f in found.seconds.values())
    assert set(found.losses) == set(found.seconds)
