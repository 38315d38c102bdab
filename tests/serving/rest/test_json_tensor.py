"""Tensors out of JSON: the quick way and the checked way agree, and every dtype comes back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from serving.rest.json_answer import write_predict
from serving.rest.json_bytes import to_base64, to_bytes
from serving.rest.json_predict import Format, read_predict
from serving.rest.json_tensor import leading_shape, plain_tensor
from serving.rest.json_tensor_checked import checked_tensor
from serving.rest.json_text import parse
from serving.status import Code, ServingError
from tests.serving.rest.tensor_infos import DTYPES, infos

READABLE = [name for name in DTYPES if name != "complex64"]
SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)


def _elements(dtype: str) -> st.SearchStrategy[Any]:
    if dtype == "string":
        return st.binary(max_size=5)
    return npst.from_dtype(np.dtype(DTYPES[dtype]))


def _arrays(dtype: str) -> st.SearchStrategy[Any]:
    return npst.arrays(np.dtype(DTYPES[dtype]), SHAPES, elements=_elements(dtype))


@pytest.mark.parametrize("layout", list(Format))
@pytest.mark.parametrize("dtype", READABLE)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_written_is_read_again(dtype: str, layout: Format, data: st.DataObject) -> None:
    arrays = data.draw(
        st.dictionaries(
            st.text(st.characters(codec="utf-8")).map(lambda name: name + "_bytes"),
            _arrays(dtype),
            min_size=1,
            max_size=3,
        )
    )
    if layout is Format.ROW:
        batch = data.draw(st.integers(1, 3))
        arrays = {name: np.stack([array] * batch) for name, array in arrays.items()}
    document = json.loads(write_predict(arrays, layout))
    key = "predictions" if layout is Format.ROW else "outputs"
    request = {"instances" if layout is Format.ROW else "inputs": document[key]}
    body = json.dumps(request).encode()
    expected = infos(dict.fromkeys(arrays, dtype))
    if math.prod(math.prod(array.shape) for array in arrays.values()) == 0:
        # A list of nothing has no shape: what is inside it cannot come back.
        return
    found = read_predict(parse(body), "", expected)
    assert found.format is layout
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def _outcome(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ServingError as error:
        refusal = error
    assert refusal.code in (Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED)
    return refusal


SCALARS = (
    st.integers(-3, 3)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.text(max_size=3)
    | st.sampled_from(
        [{"b64": "YQ=="}, {"b64": 1}, {}, (1 << 24) - 1, 1 << 24, 1 << 53, (1 << 63), 1e39, 3e38]
    )
)
NESTED = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=12)


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=50)
@given(value=NESTED)
def test_the_quick_way_agrees_with_the_checked_one(dtype: str, value: Any) -> None:
    (info,) = infos({"x": dtype}).values()
    quick = plain_tensor(value, info, leading_shape(value))
    checked = _outcome(lambda: checked_tensor(value, info))
    if quick is not None:
        assert isinstance(checked, np.ndarray)
        assert quick.dtype == checked.dtype
        np.testing.assert_array_equal(quick, checked)
    if isinstance(checked, np.ndarray):
        reference = _reference(value, dtype)
        assert checked.shape == reference.shape
        np.testing.assert_array_equal(checked, reference)


def _reference(value: Any, dtype: str) -> Any:
    """By numpy alone, for values that were accepted."""
    if dtype != "string":
        with np.errstate(over="ignore"):
            return np.array(value, dtype=DTYPES[dtype])
    shape = np.shape(json.loads(json.dumps(value), object_hook=lambda _: 0))
    flat = [value]
    for _ in shape:
        flat = [inner for outer in flat for inner in outer]
    array = np.empty(len(flat), dtype=object)
    array[:] = [b"a" if isinstance(item, dict) else item.encode() for item in flat]
    return array.reshape(shape)


@settings(max_examples=20)
@given(rows=st.integers(1, 40), columns=st.integers(0, 3000), data=st.data())
def test_large_tensors_are_read_in_blocks(rows: int, columns: int, data: st.DataObject) -> None:
    value = [[float(row * columns + column) for column in range(columns)] for row in range(rows)]
    (info,) = infos({"x": "double"}).values()
    quick = plain_tensor(value, info, (rows, columns))
    assert quick is not None
    np.testing.assert_array_equal(quick, np.arange(rows * columns).reshape(rows, columns))
    if rows > 1:
        value[data.draw(st.integers(1, rows - 1))].append(0.0)
        assert plain_tensor(value, info, (rows, columns)) is None


@pytest.mark.parametrize("dtype", ["half", "float", "double"])
def test_integers_stand_for_decimals_as_far_as_each_is_exact(dtype: str) -> None:
    (info,) = infos({"x": dtype}).values()
    digits = {"half": 11, "float": 24, "double": 53}[dtype]
    last = (1 << digits) - 1
    assert checked_tensor([last, -last, 0.5], info).tolist() == [last, -last, 0.5]
    for wrong in (last + 1, -last - 1):
        with pytest.raises(ServingError, match="without loss of precision"):
            checked_tensor([wrong, 0.5], info)
        assert plain_tensor([wrong, 0.5], info, (2,)) is None
    # With a fraction, be it .0, the nearest number will do.
    assert plain_tensor([last + 1.0], info, (1,)) is not None


def test_numbers_too_big_are_no_infinities() -> None:
    info = infos({"x": "float"})
    for number in ("1e999", "-1e999", "9" * 400):
        with pytest.raises(ServingError, match="Number too big"):
            read_predict(parse(f'{{"inputs": [{number}]}}'.encode()), "", info)
    read = read_predict(parse(b'{"inputs": [Infinity, -Infinity]}'), "", info)
    assert read.arrays["x"].tolist() == [math.inf, -math.inf]


def test_integers_beyond_64_bits_are_read_as_decimals() -> None:
    read = read_predict(
        parse(b'{"inputs": [' + b"1" + b"0" * 30 + b"]}"), "", infos({"x": "float"})
    )
    np.testing.assert_array_equal(read.arrays["x"], np.array([1e30], np.float32))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        *(("int8", v) for v in (-129, 128)),
        *(("uint8", v) for v in (-1, 256)),
        *(("int16", v) for v in (-(1 << 15) - 1, 1 << 15)),
        *(("int32", v) for v in (-(1 << 31) - 1, 1 << 31)),
        *(("uint32", v) for v in (-1, 1 << 32)),
        *(("int64", v) for v in (-(1 << 63) - 1, 1 << 63)),
        *(("uint64", v) for v in (-1, 1 << 64)),
        *(("int64", v) for v in (1.0, "1", True, None)),
        *(("float", v) for v in ("1", True, None, {"b64": "YQ=="})),
        *(("bool", v) for v in (0, 1, "true", None)),
        *(("string", v) for v in (0, 1.5, True, None)),
    ],
)
@pytest.mark.parametrize("layout", ["instances", "inputs"])
def test_values_of_another_type_are_refused(dtype: str, value: Any, layout: str) -> None:
    body = json.dumps({layout: [value]}).encode()
    with pytest.raises(ServingError, match=f"not of expected type: {dtype}$") as refusal:
        read_predict(parse(body), "", infos({"x": dtype}))
    assert refusal.value.code is Code.INVALID_ARGUMENT


def test_dtypes_that_json_has_no_values_for() -> None:
    with pytest.raises(ServingError, match="to type: complex64") as refusal:
        read_predict(parse(b'{"inputs": [1.0]}'), "", infos({"x": "complex64"}))
    assert refusal.value.code is Code.UNIMPLEMENTED


@given(st.binary(), st.sampled_from(["", "\n", " \t"]), st.booleans())
def test_base64_may_be_broken_into_lines_and_lack_its_padding(
    data: bytes, space: str, padded: bool
) -> None:
    text = to_base64(data)["b64"]
    text = space.join(text if padded else text.rstrip("="))
    assert to_bytes({"b64": text}) == data


@pytest.mark.parametrize("text", ["=", "a", "a=", "ab=", "YQ===", "Y=Q=", "YQ==YQ==", "Y-_Q", "ä"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(ServingError, match="Unable to base64 decode"):
        to_bytes({"b64": text})


WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "no format": ({"x": "float"}, '{"x": [1]}', "Missing 'inputs' or 'instances' key"),
    "instances: no list": ({"x": "float"}, '{"instances": {"x": 1}}', "to be an list/array"),
    "instances: null": ({"x": "float"}, '{"instances": null}', "to be an list/array"),
    "instances: none": ({"x": "float"}, '{"instances": []}', "No values in 'instances' array"),
    "inputs: null": ({"x": "float"}, '{"inputs": null}', "key: x. Error: JSON Value: null"),
    "inputs: nothing": ({"x": "float"}, '{"inputs": {}}', "Missing named input: x"),
    "no inputs at all": ({}, '{"inputs": [1]}', "Failed to get input map for signature: sig"),
    "inputs: one is missing": (
        {"x": "float", "y": "float"},
        '{"inputs": {"x": [1]}}',
        "Missing named input: y in 'inputs' object",
    ),
    "inputs: one too many": (
        {"x": "float"},
        '{"inputs": {"x": [1], "extra": [1]}}',
        'Unknown named input: "extra"',
    ),
    "inputs: which of two?": (
        {"x": "float", "y": "float"},
        '{"inputs": [1]}',
        "expecting an object",
    ),
    "instances: which of two?": (
        {"x": "float", "y": "float"},
        '{"instances": [1]}',
        "expecting list of objects",
    ),
    "instances: base64 for two": (
        {"x": "string", "y": "string"},
        '{"instances": [{"b64": "YQ=="}]}',
        "expecting list of objects",
    ),
    "instances: one is missing": (
        {"x": "float", "y": "float"},
        '{"instances": [{"x": 1, "y": 2}, {"x": 3}]}',
        "Failed to process element: 1 of 'instances' list. JSON object: {\"x\": 3} "
        "must only have keys: x,y",
    ),
    "instances: one too many": (
        {"x": "float"},
        '{"instances": [{"x": 1}, {"x": 3, "extra": 4}]}',
        "element: 1 key: extra of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON object: does not have named input: extra",
    ),
    "instances: a wrong value in a named input": (
        {"x": "float", "y": "int64"},
        '{"instances": [{"x": 1, "y": 2}, {"x": 3, "y": 2.5}]}',
        "element: 1 key: y of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 2.5 "
        "Type: Number is not of expected type: int64",
    ),
    "inputs: a value where a list belongs": (
        {"x": "float"},
        '{"inputs": [[1, 2], 3]}',
        "JSON Value: 3 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
    ),
    "inputs: a list where a value belongs": (
        {"x": "float"},
        '{"inputs": [1, [2]]}',
        "Encountered list at unexpected level: 1 expected < 1",
    ),
    "inputs: ragged": (
        {"x": "float"},
        '{"inputs": [[1, 2], [3]]}',
        "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
    ),
    "inputs: too deep": (
        {"x": "float"},
        f'{{"inputs": {"[" * 65}{"]" * 65}}}',
        "more than 64 deep",
    ),
    "instances: too deep": (
        {"x": "float"},
        f'{{"instances": {"[" * 66}{"]" * 66}}}',
        "Failed to process element: 0",
    ),
    "instances: an object in a number": (
        {"x": "float"},
        '{"instances": [[{"b64": "YQ=="}]]}',
        "not of expected type: float",
    ),
    "inputs: an object that is no base64": (
        {"x": "string"},
        '{"inputs": [{"b64": "YQ==", "c": 1}]}',
        "not formatted correctly for base64 data",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_refusals_name_input_and_value(case: str) -> None:
    dtypes, body, says = WRONG[case]
    document = parse(body.encode())
    with pytest.raises(ServingError) as refusal:
        read_predict(document, "sig", infos(dtypes))
    assert refusal.value.code is Code.INVALID_ARGUMENT
    assert says in refusal.value.message


def test_the_deepest_tensor_is_read() -> None:
    deepest = parse(b'{"inputs": ' + b"[" * 64 + b"1" + b"]" * 64 + b"}")
    assert read_predict(deepest, "", infos({"x": "float"})).arrays["x"].shape == (1,) * 64


DTYPE_NAMES = st.dictionaries(st.sampled_from("abc"), st.sampled_from(list(DTYPES)), max_size=3)
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "instances": st.lists(
            NESTED | st.dictionaries(st.sampled_from("abcd"), NESTED, max_size=3), max_size=4
        ),
        "inputs": NESTED | st.dictionaries(st.sampled_from("abcd"), NESTED, max_size=3),
        "signature_name": st.text(max_size=3),
    },
)


@given(document=REQUESTS, dtypes=DTYPE_NAMES)
def test_any_request_is_read_or_refused(document: Any, dtypes: dict[str, str]) -> None:
    found = _outcome(lambda: read_predict(document, "sig", infos(dtypes)))
    if not isinstance(found, ServingError):
        assert set(found.arrays) == set(dtypes)
        for name, array in found.arrays.items():
            assert array.dtype == DTYPES[dtypes[name]]
