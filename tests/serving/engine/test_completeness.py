"""When a version folder is complete: SavedModels of TF1 and TF2, partly copied in every way."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.engine.completeness import Inspection, inspect
from serving.engine.meta_graph import ends_early
from tests.serving.conftest import ModelFamily

UNIMPORTANT = {"fingerprint.pb"}


@pytest.fixture(scope="session")
def saved_models(family: ModelFamily, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One of TF1 with an asset, one of TF2 with variables and text, one of TF2 with nothing."""
    import tensorflow as tf

    root = tmp_path_factory.mktemp("saved models")
    module = tf.Module()
    module.weights = [tf.Variable(tf.zeros((3, 4))), tf.Variable(["a", "long text" * 40])]
    module.double = tf.function(
        lambda x: {"y": 2.0 * x + tf.reduce_sum(module.weights[0])},
        input_signature=[tf.TensorSpec([None], tf.float32)],
    )
    tf.saved_model.save(module, str(root / "variables"), module.double)
    bare = tf.Module()
    bare.double = tf.function(
        lambda x: {"y": 2.0 * x}, input_signature=[tf.TensorSpec([None], tf.float32)]
    )
    tf.saved_model.save(bare, str(root / "bare"), bare.double)
    return [family.half_plus_two, root / "variables", root / "bare"]


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_whole_model_is_complete(saved_models: list[Path]) -> None:
    assert [inspect(model).missing for model in saved_models] == [None] * 3


@pytest.mark.parametrize("which", range(3))
def test_without_one_of_its_files_it_is_not(
    saved_models: list[Path], tmp_path: Path, which: int
) -> None:
    for name in set(files(saved_models[which])) - UNIMPORTANT:
        copy = shutil.copytree(saved_models[which], tmp_path / name.replace("/", "-"))
        (copy / name).unlink()
        missing = inspect(copy).missing
        assert missing is not None
        assert Path(name).name.split("-0")[0] in missing


@settings(max_examples=60)
@given(which=st.integers(0, 2), data=st.data())
def test_a_copy_is_complete_when_it_is_done_and_not_before(
    saved_models: list[Path], which: int, data: st.DataObject
) -> None:
    """Files appear in any order and grow; only the last byte of the last one makes it complete.

    Assets excepted: nothing says how long one is; and the index of the variables, which is read
    or not.
    """
    source = saved_models[which]
    important = [n for n in files(source) if n not in UNIMPORTANT]
    order = data.draw(st.permutations(important))
    done = data.draw(st.integers(0, len(order) - 1))
    growing = (source / order[done]).read_bytes()
    short = not order[done].startswith(("assets", "variables/variables.index"))
    size = data.draw(st.integers(0, len(growing) - 1 if short else 0))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        for name in order[:done]:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, copy / name)
        (copy / order[done]).parent.mkdir(parents=True, exist_ok=True)
        if size:
            (copy / order[done]).write_bytes(growing[:size])
        assert inspect(copy).missing is not None
        for name in order[done:]:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, copy / name)
        assert inspect(copy).missing is None


@pytest.mark.parametrize("content", [b"\xff\xff not a SavedModel", b"\x08\x01\x12\x00"])
def test_what_is_there_and_is_no_model_is_complete(tmp_path: Path, content: bytes) -> None:
    """So that loading says what is wrong with it."""
    (tmp_path / "saved_model.pb").write_bytes(content)
    assert inspect(tmp_path).missing is None


def test_weights_that_were_changed_are_complete(saved_models: list[Path], tmp_path: Path) -> None:
    copy = shutil.copytree(saved_models[0], tmp_path / "copy")
    shard = copy / "variables" / "variables.data-00000-of-00001"
    shard.write_bytes(b"\xff" * shard.stat().st_size)
    assert inspect(copy).missing is None


def test_a_text_model_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pbtxt").write_text('meta_graphs { meta_info_def { tags: "serve" } }')
    assert inspect(tmp_path).missing is None


@pytest.mark.parametrize("name", ["saved_model.pb", "saved_model.pbtxt"])
def test_an_empty_model_file_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert inspect(tmp_path).missing == "saved_model.pb is missing or empty"


def test_an_inspection_is_the_same_until_a_file_changes(
    saved_models: list[Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(saved_models[0], tmp_path / "copy")
    first = inspect(copy)
    assert inspect(copy, first) is first
    (copy / "more").touch()
    changed = inspect(copy, first)
    assert changed is not first
    assert changed.fingerprint != first.fingerprint


def test_nothing_is_known_of_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = inspect(tmp_path / "gone")
    assert gone == Inspection("saved_model.pb is missing or empty", ())


@given(st.binary(max_size=200))
def test_any_bytes_can_be_asked_whether_they_end_early(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        assert ends_early(Path(file.name)) in (True, False)
