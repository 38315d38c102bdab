"""Tensors as they travel: against TensorFlow's own reading and writing of TensorProto."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.rpc.dtypes import BY_ENUM
from serving.rpc.tensors import array_of, proto_of
from serving.status import Code, ServingError

ROOM = 1 << 20
NUMBERS = tuple(wire.dtype for wire in BY_ENUM.values() if wire.dtype.kind != "O")


def bits(dtype: np.dtype[Any]) -> st.SearchStrategy[Any]:
    """Arrays of any bit pattern: infinities, nans and the smallest numbers included."""
    if dtype.kind == "b":
        return hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    words = np.dtype((np.uint8, dtype.itemsize))

    def view(raw: Any) -> Any:
        return np.ascontiguousarray(raw).reshape(-1).view(dtype).reshape(raw.shape[:-1])

    shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
    return shapes.flatmap(
        lambda shape: hnp.arrays(np.uint8, (*shape, words.shape[0])).map(
            lambda raw: view(raw) if raw.size else np.zeros(shape, dtype)
        )
    )


numbers = st.sampled_from(NUMBERS).flatmap(bits)
strings = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4).flatmap(
    lambda shape: hnp.arrays(object, shape, elements=st.binary(max_size=200))
)


def raw(value: Any) -> Any:
    """What can be compared bit by bit. A nan is a nan: its payload may be lost on the way."""
    array = np.asarray(value, object if isinstance(value, (bytes, str)) else None)
    if array.dtype.kind in "OSU":
        return array.astype(object).tolist()
    array = array.copy()
    if array.dtype.kind == "c":
        array = array.reshape(-1).view(np.float32 if array.dtype == np.complex64 else np.float64)
    if array.dtype.kind not in "iub":
        with np.errstate(invalid="ignore"):  # a signalling nan
            array[np.isnan(array)] = np.nan
    return array.dtype, array.tobytes()


def assert_same(left: Any, right: Any) -> None:
    assert np.shape(left) == np.shape(right)
    assert raw(left) == raw(right)


def tensorflow_reads(proto: Any) -> Any:
    """What TensorFlow's C++ makes of a TensorProto: the code that TF Serving reads requests by."""
    return tf.io.parse_tensor(proto.SerializeToString(), proto.dtype).numpy()


@given(st.one_of(numbers, strings))
def test_an_answer_is_read_back_by_tensorflow_as_it_was(array: Any) -> None:
    proto = proto_of(array, "y")
    assert_same(tf.make_ndarray(proto), array)
    assert_same(tensorflow_reads(proto), array)
    assert not proto.tensor_content, "clients of TF Serving read float_val and its like"


@given(st.one_of(numbers, strings))
def test_what_a_client_makes_with_make_tensor_proto_is_read_as_it_was(array: Any) -> None:
    assert_same(array_of(tf.make_tensor_proto(array), "x", max_bytes=ROOM), array)


@given(st.one_of(numbers, strings))
def test_what_tensorflow_serializes_is_read_as_it_was(array: Any) -> None:
    proto = tensor_pb2.TensorProto.FromString(tf.io.serialize_tensor(array).numpy())
    assert_same(array_of(proto, "x", max_bytes=ROOM), array)


@given(st.one_of(numbers, strings))
def test_values_one_by_one_are_read_as_tensorflow_reads_them(array: Any) -> None:
    proto = proto_of(array, "x")
    assert_same(array_of(proto, "x", max_bytes=ROOM), tensorflow_reads(proto))


@given(
    numbers.filter(lambda a: a.size > 0),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4),
)
def test_one_value_fills_the_shape(array: Any, shape: tuple[int, ...]) -> None:
    proto = proto_of(array.reshape(-1)[:1], "x")
    proto.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
    assert_same(array_of(proto, "x", max_bytes=ROOM), tensorflow_reads(proto))


def test_one_string_fills_the_shape() -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[b"same\0same"])
    proto.tensor_shape.CopyFrom(tf.TensorShape([2, 2]).as_proto())
    assert_same(array_of(proto, "x", max_bytes=ROOM), tensorflow_reads(proto))


@given(st.binary(max_size=300))
def test_no_bytes_make_anything_but_an_array_or_a_refusal(data: bytes) -> None:
    proto = tensor_pb2.TensorProto()
    try:
        proto.ParseFromString(data)
    except Exception:  # protobuf's own refusal, before the server sees a message
        return
    try:
        assert array_of(proto, "the input", max_bytes=ROOM).nbytes <= ROOM
    except ServingError as error:
        refusal = error
    else:
        return
    assert refusal.code == Code.INVALID_ARGUMENT
    assert "the input" in refusal.message


wild = st.builds(
    tensor_pb2.TensorProto,
    dtype=st.one_of(st.sampled_from(sorted(BY_ENUM)), st.integers(-5, 200)),
    tensor_shape=st.builds(
        lambda sizes, unknown: {"dim": [{"size": s} for s in sizes], "unknown_rank": unknown},
        st.lists(st.one_of(st.integers(0, 3), st.integers(-(2**63), 2**63 - 1)), max_size=5),
        st.sampled_from([False] * 9 + [True]),
    ),
    version_number=st.sampled_from([0] * 9 + [1]),
    tensor_content=st.one_of(st.just(b""), st.binary(max_size=64)),
    float_val=st.lists(st.floats(width=32), max_size=5),
    int_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
    half_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
    int64_val=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5),
    uint64_val=st.lists(st.integers(0, 2**64 - 1), max_size=5),
    string_val=st.lists(st.binary(max_size=9), max_size=5),
    bool_val=st.lists(st.booleans(), max_size=5),
    scomplex_val=st.lists(st.floats(width=32), max_size=5),
)


@given(wild)
def test_no_message_makes_anything_but_an_array_or_a_refusal(proto: Any) -> None:
    try:
        array = array_of(proto, "the input", max_bytes=ROOM)
    except ServingError as error:
        refusal = error
    else:
        assert array.nbytes <= ROOM
        assert_same(array, tensorflow_reads(proto))
        return
    assert refusal.code == Code.INVALID_ARGUMENT
    assert "the input" in refusal.message


@given(numbers, st.binary(min_size=1, max_size=20))
def test_fields_that_we_do_not_know_change_nothing(array: Any, extra: bytes) -> None:
    proto = proto_of(array, "x")
    # Field 1000, length-delimited: behind everything that is known.
    unknown = b"\xc2\x3e" + bytes([len(extra)]) + extra
    read = tensor_pb2.TensorProto.FromString(proto.SerializeToString() + unknown)
    assert_same(array_of(read, "x", max_bytes=ROOM), array)


def test_text_and_fixed_width_strings_are_sent_as_bytes() -> None:
    for array in (
        np.array(["Ä", "b"]),
        np.array(["Ä", "b"], object),
        np.array([b"\xc3\x84", b"b"]),
    ):
        assert list(proto_of(array, "y").string_val) == ["Ä".encode(), b"b"]


def test_an_array_of_the_other_byte_order_is_sent_by_value() -> None:
    array = np.array([1.5, -2.25], ">f4")
    assert tf.make_ndarray(proto_of(array, "y")).tolist() == [1.5, -2.25]


def test_an_answer_of_a_dtype_that_cannot_be_sent_is_an_error_that_names_it() -> None:
    with pytest.raises(ServingError, match=r"'y'.*float8_e5m2") as caught:
        proto_of(np.zeros(2, ml_dtypes.float8_e5m2), "y")
    assert caught.value.code == Code.UNIMPLEMENTED


def floats(*values: float, shape: tuple[int, ...] = (), **fields: Any) -> Any:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=values, **fields)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def of(dtype: int, shape: tuple[int, ...] = (), **fields: Any) -> Any:
    proto = tensor_pb2.TensorProto(dtype=dtype, **fields)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def unknown_rank() -> Any:
    proto = floats(1.0)
    proto.tensor_shape.unknown_rank = True
    return proto


MALFORMED: dict[str, tuple[Callable[[], Any], str]] = {
    "no dtype": (lambda: of(0), "DT_INVALID"),
    "a dtype that does not exist": (lambda: of(4321), "4321"),
    "a dtype that is no tensor of numbers": (lambda: of(types_pb2.DT_VARIANT), "DT_VARIANT"),
    "a resource": (lambda: of(types_pb2.DT_RESOURCE), "DT_RESOURCE"),
    "a reference dtype": (lambda: of(types_pb2.DT_FLOAT_REF), "DT_FLOAT_REF"),
    "another version": (lambda: floats(1.0, version_number=1), "version 1"),
    "unknown rank": (unknown_rank, "unknown rank"),
    "a negative dimension": (lambda: floats(1.0, shape=(-1,)), r"\[-1\].*negative"),
    "too few values": (lambda: floats(1.0, 2.0, shape=(3,)), "3 elements.*float_val has 2"),
    "too many values": (lambda: floats(1.0, 2.0, shape=(1,)), "1 elements.*float_val has 2"),
    "values for an empty shape": (lambda: floats(1.0, shape=(0,)), "0 elements.*has 1"),
    "no value at all": (lambda: floats(shape=(2,)), "2 elements.*float_val has 0"),
    "no value for a scalar": (floats, r"\[\] has 1 elements.*float_val has 0"),
    "values in the field of another dtype": (
        lambda: of(types_pb2.DT_FLOAT, (1,), int_val=[3]),
        "float_val, but int_val is filled",
    ),
    "a huge shape": (lambda: floats(1.0, shape=(2**40,)), "takes .* bytes; at most"),
    "a shape whose size overflows": (lambda: floats(1.0, shape=(2**62, 2**62, 8)), "at most"),
    "an empty shape that no array can have": (lambda: floats(shape=(0, 2**62)), "at most"),
    "a long string, a thousand times": (
        lambda: of(types_pb2.DT_STRING, (1000,), string_val=[b"x" * 5000]),
        "takes 5000000 bytes",
    ),
    "65 dimensions": (lambda: floats(1.0, shape=(1,) * 65), "65 dimensions; at most 64"),
    "content that is too short": (
        lambda: of(types_pb2.DT_FLOAT, (2,), tensor_content=b"1234567"),
        "2 elements of DT_FLOAT are 8 bytes, but tensor_content has 7",
    ),
    "content that is too long": (
        lambda: of(types_pb2.DT_INT64, (1,), tensor_content=b"123456789"),
        "8 bytes, but tensor_content has 9",
    ),
    "content and values": (
        lambda: floats(1.0, shape=(1,), tensor_content=b"1234"),
        "both tensor_content and float_val",
    ),
    "content without the strings it counts": (
        lambda: of(types_pb2.DT_STRING, (2,), tensor_content=b"\x01\x05a"),
        "does not hold 2 strings",
    ),
    "content with a length without end": (
        lambda: of(types_pb2.DT_STRING, (1,), tensor_content=b"\xff" * 40),
        "does not hold 1 strings",
    ),
    "an int8 of 300": (lambda: of(types_pb2.DT_INT8, (1,), int_val=[300]), "-128 to 127"),
    "a uint8 below 0": (lambda: of(types_pb2.DT_UINT8, (1,), int_val=[-1]), "0 to 255"),
    "half a complex": (
        lambda: of(types_pb2.DT_COMPLEX64, (1,), scomplex_val=[1.0]),
        "odd number of values",
    ),
    "bits that no half has": (lambda: of(types_pb2.DT_HALF, (1,), half_val=[-1]), "half_val"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_tensor_is_refused_by_the_name_of_its_input(case: str) -> None:
    make, message = MALFORMED[case]
    with pytest.raises(ServingError, match=message) as caught:
        array_of(make(), "co2", max_bytes=ROOM)
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert caught.value.message.startswith("tensor parsing error: co2: ")


def test_any_byte_but_zero_of_content_is_true() -> None:
    proto = of(types_pb2.DT_BOOL, (4,), tensor_content=b"\x00\x01\x02\xff")
    array = array_of(proto, "x", max_bytes=ROOM)
    assert array.tolist() == [False, True, True, True]
    assert array.tobytes() == b"\x00\x01\x01\x01"
