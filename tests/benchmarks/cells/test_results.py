"""What is written, printed, drawn and asked of results."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.cells import chart
from benchmarks.cells.__main__ import arguments, chosen
from benchmarks.cells.table import CALL_BOUNDS, TORCH_BOUNDS, bounds, show
from benchmarks.cells.work import CALLS, TRAINING, Call, Work, call_of, training_work
from tests.benchmarks.cells.results import WORKS, made_up


@pytest.mark.parametrize("work", WORKS, ids=lambda w: w.name)
def test_the_json_holds_each_side_its_recipe_and_every_ratio(work: Work | Call) -> None:
    found = made_up(work)
    written = json.loads(json.dumps(found.json()))
    names = list(found.recipes)
    assert list(written["sides"]) == names
    for i, name in enumerate(names):
        side = written["sides"][name]
        assert side["recipe"] == found.recipes[name].words
        assert side["recipe"].strip()
        assert set(side["times_as_fast_as"]) == set(names) - {name}
        for j, other in enumerate(names):
            if other != name:
                assert side["times_as_fast_as"][other]["median"] == pytest.approx(2.0 ** (i - j))
        # Seconds 1, 3 and 2 times 2**-i, of 1e9 operations at 4e9 a second.
        assert side["seconds"]["median"] == pytest.approx(2.0 * 2.0**-i)
        assert side["share_of_peak"]["median"] == pytest.approx(2.0**i / 8)
    of = training_work if written["kind"] == "training" else call_of
    assert of(written["work"]) == work


@pytest.mark.parametrize("work", WORKS, ids=lambda w: w.name)
def test_a_table_has_a_row_a_recipe_and_no_time_without_a_ratio(work: Work | Call) -> None:
    printed = io.StringIO()
    found = made_up(work)
    show(found, Console(width=400, file=printed))
    text = printed.getvalue()
    for name, recipe in found.recipes.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"│ {name} ")]
        assert " to " in row
        assert recipe.words in text


def test_the_bounds_are_of_works_and_sides_that_there_are() -> None:
    assert set(TORCH_BOUNDS) == {work.name for work in TRAINING}
    assert set(CALL_BOUNDS) <= {call.name for call in CALLS}
    for work in WORKS:
        for bound in bounds(made_up(work)):
            assert bound.what.startswith(work.name)
    # Elman stands after Keras in the table and before PyTorch: half of Keras' seconds here.
    (to_keras,) = [b for b in bounds(made_up(TRAINING[0])) if b.what.endswith("as fast as Keras")]
    assert to_keras.met
    (to_torch,) = [b for b in bounds(made_up(TRAINING[0])) if b.what.endswith("as PyTorch")]
    assert not to_torch.met


def test_the_chart_shows_every_training_work_and_does_not_change_by_itself(tmp_path: Path) -> None:
    works = [made_up(work).json() for work in WORKS]
    for name in ("a.svg", "b.svg"):
        chart.draw(works, tmp_path / name)
    first = (tmp_path / "a.svg").read_bytes()
    assert first == (tmp_path / "b.svg").read_bytes()
    assert first.startswith(b"<?xml")
    changed = [made_up(work, 0.5).json() for work in WORKS]
    changed[0]["sides"]["Keras"]["times_as_fast_as"]["PyTorch"]["max"] *= 2
    chart.draw(changed, tmp_path / "c.svg")
    assert (tmp_path / "c.svg").read_bytes() != first


def test_a_chart_without_a_training_work_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no training work"):
        chart.draw([made_up(CALLS[0]).json()], tmp_path / "x.svg")


def test_names_of_sides_are_unique_within_a_work() -> None:
    for device in ("cpu", "gpu"):
        for _, sides in chosen(arguments(["--device", device])):
            assert len({side.name for side in sides}) == len(sides)


def test_a_gpu_has_no_calls_and_no_recipe_of_the_cpu_allocator() -> None:
    works = chosen(arguments(["--device", "gpu"]))
    assert [work.name for work, _ in works] == [work.name for work in TRAINING]
    assert not any(side.environment for _, sides in works for side in sides)
    assert not any("intra_op" in side.words for _, sides in works for side in sides)
    assert not any("--intra-op" in side.arguments for _, sides in works for side in sides)


def test_unknown_sides_are_refused() -> None:
    with pytest.raises(SystemExit, match="unknown sides"):
        chosen(arguments(["--sides", "Theano"]))
    with pytest.raises(SystemExit):
        arguments(["--redraw"])
