"""Which arrays fit a signature, and what is said of those that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine.failure import LONGEST
from serving.engine.signature import Signature, TensorInfo
from serving.inference.predict import prepare_predict
from serving.status import Code, ServingError
from tests.serving.inference.fake_servable import FakeServable, floats, info, texts

ALL_DTYPES = [
    *(np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64),
    *(np.uint8, np.uint16, np.uint32, np.uint64, np.bool_, np.complex64, np.complex128),
]


def made(
    inputs: dict[str, TensorInfo], outputs: dict[str, TensorInfo], name: str = "serving_default"
) -> FakeServable:
    signature = Signature(name, "tensorflow/serving/predict", inputs, outputs)
    return FakeServable(signature, values={key: floats([0]) for key in outputs})


@pytest.fixture
def servable() -> FakeServable:
    """`co2` float32 [?, 3] and `site` string [?] give `co2_next` [?, 2] and `confidence` [?]."""
    return made(
        {
            "co2": info("co2", np.float32(0), (None, 3)),
            "site": info("site", texts([b""]), (None,)),
        },
        {
            "co2_next": info("co2_next", np.float32(0), (None, 2)),
            "confidence": info("confidence", np.float32(0), (None,)),
        },
    )


GOOD: dict[str, Any] = {"co2": floats([1, 2, 3], [4, 5, 6]), "site": np.array([b"a", b"b"], object)}


def refused(servable: FakeServable, inputs: Any, outputs: Any = ()) -> ServingError:
    with pytest.raises(ServingError) as caught:
        prepare_predict(servable.it, "", inputs, outputs)
    assert servable.fed == []
    assert len(caught.value.message) <= LONGEST
    return caught.value


def test_arrays_that_fit_are_fed_as_they_are(servable: FakeServable) -> None:
    found = prepare_predict(servable.it, "", GOOD).answer(servable.it)
    assert servable.fed[0]["co2:0"] is GOOD["co2"]
    assert set(found.outputs) == {"co2_next", "confidence"}
    assert (found.name, found.version, found.signature) == ("m", 123, "serving_default")


@pytest.mark.parametrize("wanted", [("confidence",), ("co2_next", "confidence"), ()])
def test_only_outputs_that_are_wanted_are_given(
    servable: FakeServable, wanted: tuple[str, ...]
) -> None:
    found = prepare_predict(servable.it, "", GOOD, wanted).answer(servable.it)
    assert set(found.outputs) == set(wanted or ("co2_next", "confidence"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"site": None},
            "input size does not match signature: 1!=2 len({co2}) != len({co2,site}). "
            "Sent extra: {}. Missing but required: {site}.",
        ),
        (
            {"co2": None, "site": None},
            "input size does not match signature: 0!=2 len({}) != len({co2,site}). "
            "Sent extra: {}. Missing but required: {co2,site}.",
        ),
        (
            {"more": floats([1])},
            "input size does not match signature: 3!=2 len({co2,more,site}) != len({co2,site}). "
            "Sent extra: {more}. Missing but required: {}.",
        ),
        (
            {"site": None, "sight": floats([1])},
            "input tensor alias not found in signature: sight. Inputs expected to be in the set "
            "{co2,site}.",
        ),
        (
            {"co2": np.zeros((2, 3), np.int64)},
            'input "co2": Expects arg[0] to be float but int64 is provided',
        ),
        (
            {"co2": np.zeros((2, 3))},
            'input "co2": Expects arg[0] to be float but double is provided',
        ),
        (
            {"co2": texts([b"a"])},
            'input "co2": Expects arg[0] to be float but string is provided',
        ),
        (
            {"site": floats(1, 2)},
            'input "site": Expects arg[1] to be string but float is provided',
        ),
        ({"co2": floats(1, 2, 3)}, 'input "co2": expected shape [?, 3], got [3]'),
        ({"co2": floats([1, 2])}, 'input "co2": expected shape [?, 3], got [1, 2]'),
        ({"co2": np.float32(1)}, 'input "co2": expected shape [?, 3], got []'),
        ({"site": texts([b"a"])}, 'input "site": expected shape [?], got [1, 1]'),
    ],
)
def test_what_does_not_fit_is_named(
    servable: FakeServable, change: dict[str, Any], message: str
) -> None:
    inputs = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    error = refused(servable, inputs)
    assert (error.code, error.message) == (Code.INVALID_ARGUMENT, message)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (
            ["x"],
            "output tensor alias not found in signature: x Outputs expected to be in the set "
            "{co2_next,confidence}.",
        ),
        (["co2_next", "co2_next"], "duplicate output tensor alias: co2_next"),
    ],
)
def test_outputs_that_are_not_there_or_twice_are_refused(
    servable: FakeServable, outputs: list[str], message: str
) -> None:
    error = refused(servable, GOOD, outputs)
    assert (error.code, error.message) == (Code.INVALID_ARGUMENT, message)


def test_a_signature_that_is_not_there_is_a_precondition(servable: FakeServable) -> None:
    with pytest.raises(ServingError) as caught:
        prepare_predict(servable.it, "other", GOOD)
    assert caught.value.code is Code.FAILED_PRECONDITION
    assert caught.value.message == 'Serving signature key "other" not found.'


@pytest.mark.parametrize("given", ALL_DTYPES)
@pytest.mark.parametrize("wanted", ALL_DTYPES)
def test_no_dtype_is_taken_for_another(given: type, wanted: type) -> None:
    servable = made({"x": info("x", np.zeros(1, wanted), (None,))}, {"y": info("y", floats(0))})
    if given is wanted:
        assert prepare_predict(servable.it, "", {"x": np.zeros(1, given)})
    else:
        assert "Expects arg[0]" in refused(servable, {"x": np.zeros(1, given)}).message


def test_nor_is_another_order_of_bytes(servable: FakeServable) -> None:
    assert "Expects" in refused(servable, {**GOOD, "co2": GOOD["co2"].astype(">f4")}).message


@pytest.mark.parametrize("array", [np.array([b"a", b"bc"]), np.array(["a", "é"])])
def test_strings_of_numpy_are_strings(servable: FakeServable, array: Any) -> None:
    prepare_predict(servable.it, "", {**GOOD, "site": array}).answer(servable.it)
    fed = servable.fed[0]["site:0"]
    assert fed.dtype == object
    assert [each.decode() for each in fed] == [
        each.decode() if isinstance(each, bytes) else each for each in array.tolist()
    ]


def test_the_shape_of_what_is_no_placeholder_is_no_promise() -> None:
    computed = TensorInfo("x", "x:0", np.dtype(np.float32), 1, (None, 1), placeholder=False)
    servable = made({"x": computed}, {"y": info("y", floats(0))})
    for x in (np.float32(1), floats(1, 2), floats([1, 2])):
        assert prepare_predict(servable.it, "", {"x": np.asarray(x)})


OPEN = (None, 2)


@pytest.mark.parametrize(
    ("inputs", "outputs", "shapes", "rows"),
    [
        ([OPEN], [OPEN], [(3, 2)], 3),
        ([OPEN, (None,)], [OPEN, None], [(3, 2), (3,)], 3),
        ([OPEN, (None,)], [OPEN], [(3, 2), (4,)], None),
        ([OPEN, ()], [OPEN], [(3, 2), ()], None),
        ([None], [OPEN], [()], None),
        ([None], [OPEN], [(5, 1, 1)], 5),
        ([OPEN], [()], [(3, 2)], None),
        ([OPEN], [(3, 2)], [(3, 2)], None),
        ([(3, 2)], [OPEN], [(3, 2)], None),
        ([OPEN], [OPEN], [(0, 2)], None),
        ([], [OPEN], [], None),
    ],
)
def test_a_batch_is_what_all_inputs_and_outputs_have_in_common(
    inputs: Any, outputs: Any, shapes: Any, rows: int | None
) -> None:
    servable = made(
        {f"x{i}": info(f"x{i}", floats(0), shape) for i, shape in enumerate(inputs)},
        {f"y{i}": info(f"y{i}", floats(0), shape) for i, shape in enumerate(outputs)},
    )
    feeds = {f"x{i}": np.zeros(shape, np.float32) for i, shape in enumerate(shapes)}
    assert prepare_predict(servable.it, "", feeds).call.rows == rows


def test_outputs_that_are_not_wanted_have_no_say_in_that() -> None:
    servable = made(
        {"x": info("x", floats(0), OPEN)},
        {"y": info("y", floats(0), OPEN), "loss": info("loss", floats(0), ())},
    )
    x = np.zeros((3, 2), np.float32)
    assert prepare_predict(servable.it, "", {"x": x}).call.rows is None
    assert prepare_predict(servable.it, "", {"x": x}, ["y"]).call.rows == 3


@given(st.dictionaries(st.text(max_size=300), st.just(0), max_size=60), st.lists(st.text()))
def test_whatever_names_come_the_answer_is_a_short_refusal(
    names: dict[str, int], outputs: list[str]
) -> None:
    servable = made({"co2": info("co2", np.float32(0))}, {"y": info("y", floats(0))})
    if set(names) != {"co2"}:
        assert refused(servable, names).code is Code.INVALID_ARGUMENT
    if outputs not in ([], ["y"]):
        assert refused(servable, {"co2": np.float32(1)}, outputs).code is Code.INVALID_ARGUMENT
