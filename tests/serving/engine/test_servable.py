"""SavedModels of TF1 and TF2 in memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.engine.servable import Servable
from serving.engine.signature import PREDICT, REGRESS
from serving.status import Code, ServingError
from tests.serving.conftest import ModelFamily
from tests.serving.contract.half_plus_two import save_functions


@pytest.fixture(scope="session")
def various(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TF2 functions with a table, strings, scalars, fixed and open shapes."""
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [7]), -1)
    spec = tf.TensorSpec
    functions: dict[str, Any] = {
        "serving_default": tf.function(
            lambda x: {"y": 2.0 * x + 3.0},
            input_signature=[spec([None, 2], tf.float32, name="x")],
        ),
        "words": tf.function(
            lambda words: {"code": table.lookup(words), "twice": tf.strings.join([words, words])},
            input_signature=[spec([None], tf.string, name="words")],
        ),
        "scalars": tf.function(
            lambda n, word: {
                "n": n + 1,
                "word": word,
                "same": tf.identity(word),
                "flag": n > 0,
                "half": tf.cast(n, tf.float16),
                "brain": tf.cast(n, tf.bfloat16),
            },
            input_signature=[spec([], tf.int64, name="n"), spec([], tf.string, name="word")],
        ),
        "fails": tf.function(
            lambda i: {"y": tf.gather(tf.constant([1.0, 2.0]), i)},
            input_signature=[spec([None], tf.int32, name="i")],
        ),
        "any": tf.function(lambda x: {"y": x}, input_signature=[spec(None, tf.float32, name="x")]),
    }
    folder = tmp_path_factory.mktemp("various") / "1"
    module = tf.Module()
    module.table = table
    module.functions = list(functions.values())
    tf.saved_model.save(
        module, str(folder), {n: f.get_concrete_function() for n, f in functions.items()}
    )
    return folder


@pytest.fixture(scope="module")
def servable(various: Path) -> Iterator[Servable]:
    servable = Servable("various", 1, various)
    yield servable
    servable.close()


def test_a_signature_runs(servable: Servable) -> None:
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    found = servable.run("serving_default", {"x": x})
    np.testing.assert_array_equal(found["y"], 2 * x + 3)


def test_what_a_signature_takes_and_gives_is_known(servable: Servable) -> None:
    signature = servable.signatures["serving_default"]
    assert signature.method_name == PREDICT
    (x,) = signature.inputs.values()
    assert (x.name, x.dtype, x.tf_name, x.shape) == ("x", np.float32, "DT_FLOAT", (None, 2))
    assert (x.is_string, x.batched, x.placeholder) == (False, True, True)
    word = servable.signatures["scalars"].inputs["word"]
    assert (word.dtype, word.is_string, word.shape, word.batched) == (object, True, (), False)
    assert servable.signatures["any"].inputs["x"].shape is None
    assert "__saved_model_init_op" not in servable.signatures
    assert "__saved_model_init_op" in servable.signature_defs


@pytest.mark.parametrize(
    ("shape", "fits"), [((1, 2), True), ((0, 2), True), ((2,), False), ((1, 3), False)]
)
def test_shapes_fit_or_not(servable: Servable, shape: tuple[int, ...], fits: bool) -> None:
    assert servable.signatures["serving_default"].inputs["x"].fits(shape) is fits
    assert servable.signatures["any"].inputs["x"].fits(shape)


def test_tables_are_filled_and_strings_are_bytes(servable: Servable) -> None:
    words = np.array([b"a", b"\xff\x00", b""], dtype=object)
    found = servable.run("words", {"words": words})
    assert found["code"].tolist() == [7, -1, -1]
    assert found["twice"].tolist() == [b"aa", b"\xff\x00\xff\x00", b""]


def test_scalars_are_arrays_too(servable: Servable) -> None:
    inputs = {"n": np.array(4), "word": np.array(b"x\x00", dtype=object)}
    found = servable.run("scalars", inputs)
    assert {name: array.shape for name, array in found.items()} == dict.fromkeys(found, ())
    assert found["n"].dtype == np.int64
    assert found["word"].item() == found["same"].item() == b"x\x00"
    assert found["flag"].dtype == bool
    assert found["half"].dtype == np.float16
    assert found["brain"].dtype == tf.bfloat16.as_numpy_dtype


def test_only_the_outputs_that_are_wanted_are_given(servable: Servable) -> None:
    words = np.array([b"a"], dtype=object)
    assert set(servable.run("words", {"words": words}, ["code"])) == {"code"}
    assert servable.run("words", {"words": words}, []) == {}


def test_outputs_are_independent_of_the_order_they_are_asked_in(servable: Servable) -> None:
    words = np.array([b"a"], dtype=object)
    for names in (["code", "twice"], ["twice", "code"]):
        found = servable.run("words", {"words": words}, names)
        assert found["code"].tolist() == [7]
        assert found["twice"].tolist() == [b"aa"]


@pytest.mark.parametrize(
    ("signature", "inputs", "outputs", "message"),
    [
        ("nope", {}, None, "there is no signature 'nope'"),
        ("words", {"x": np.zeros(1)}, None, "no tensor 'x'"),
        ("words", {"words": np.array([b""], object)}, ["z"], "no tensor 'z'"),
    ],
)
def test_what_is_not_there_is_named(
    servable: Servable, signature: str, inputs: Any, outputs: Any, message: str
) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        servable.run(signature, inputs, outputs)
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("signature", "inputs", "code"),
    [
        ("fails", {"i": np.array([5], np.int32)}, Code.INVALID_ARGUMENT),
        ("fails", {"i": np.array([5], np.int64)}, Code.INVALID_ARGUMENT),
        ("words", {"words": np.array([3], object)}, Code.INTERNAL),
        ("words", {}, Code.INVALID_ARGUMENT),
    ],
)
def test_errors_of_tensorflow_have_their_code_and_no_path(
    servable: Servable, various: Path, signature: str, inputs: Any, code: Code
) -> None:
    with pytest.raises(ServingError) as caught:
        servable.run(signature, inputs)
    assert caught.value.code is code
    assert caught.value.message
    assert str(various.parent) not in caught.value.message
    assert "Traceback" not in caught.value.message
    test_a_signature_runs(servable)


def test_many_threads_may_run_it(servable: Servable) -> None:
    def ask(i: int) -> None:
        x = np.full((i % 3 + 1, 2), i, np.float32)
        np.testing.assert_array_equal(servable.run("serving_default", {"x": x})["y"], 2 * x + 3)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(200)))


def test_a_closed_servable_refuses(various: Path) -> None:
    servable = Servable("various", 1, various)
    test_a_signature_runs(servable)
    servable.close()
    with pytest.raises(ServingError):
        test_a_signature_runs(servable)
    servable.close()


def test_closing_ends_what_is_running(tmp_path: Path) -> None:
    def forever(x: Any) -> Any:
        _, y = tf.while_loop(lambda i, _: i >= 0, lambda i, y: (i, y), [0, x])
        return {"y": y}

    spec = tf.TensorSpec([], tf.float32, name="x")
    save_functions(tmp_path / "1", {"f": tf.function(forever, input_signature=[spec])})
    servable = Servable("loop", 1, tmp_path / "1")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(servable.run, "f", {"x": np.float32(1)})
        assert not running.done()
        servable.close()
        assert isinstance(running.exception(60), ServingError)


def test_a_model_of_tf1_runs_by_tensors_that_are_no_placeholders(family: ModelFamily) -> None:
    """`x` of half_plus_two is computed, so its shape is no promise and any can be fed."""
    servable = Servable("h", 1, family.half_plus_two)
    (x,) = servable.signatures["serving_default"].inputs.values()
    assert (x.shape, x.placeholder) == ((None, 1), False)
    for fed in (np.float32(2), np.float32([2, 4]), np.float32([[[2.0]]])):
        assert x.fits(np.shape(fed))
        found = servable.run("serving_default", {"x": np.asarray(fed)})["y"]
        np.testing.assert_array_equal(found, np.asarray(fed) / 2 + 2)
    assert servable.signatures["regress_x_to_y"].method_name == REGRESS
    servable.close()


def test_an_output_that_is_fed_is_given_back(family: ModelFamily) -> None:
    servable = Servable("h", 1, family.half_plus_two)
    x = np.float32([[2.0]])
    fed, computed = servable.run_tensors({"x:0": x}, ["x:0", "y:0"])
    assert fed is x
    assert computed.tolist() == [[3.0]]
    servable.close()


def test_variables_and_tables_of_two_versions_are_apart(family: ModelFamily) -> None:
    two, three = (
        Servable("h", version, path)
        for version, path in ((1, family.half_plus_two), (2, family.half_plus_three))
    )
    counts = [Servable("c", i, family.counter) for i in (1, 2)]
    x = {"x": np.float32([2.0])}
    assert (two.run("serving_default", x)["y"], three.run("serving_default", x)["y"]) == (3, 4)
    assert [counts[0].run("incr_counter", {})["output"] for _ in range(2)] == [1, 2]
    assert counts[1].run("incr_counter", {})["output"] == 1
    for servable in (two, three, *counts):
        servable.close()


@pytest.mark.parametrize("text", [False, True])
def test_a_model_may_be_written_as_text(various: Path, tmp_path: Path, text: bool) -> None:
    from google.protobuf import text_format
    from tensorflow.core.protobuf import saved_model_pb2

    copy = shutil.copytree(various, tmp_path / "1")
    if text:
        proto = saved_model_pb2.SavedModel.FromString((copy / "saved_model.pb").read_bytes())
        (copy / "saved_model.pb").unlink()
        (copy / "saved_model.pbtxt").write_text(text_format.MessageToString(proto))
    servable = Servable("text", 1, copy)
    test_a_signature_runs(servable)
    servable.close()
