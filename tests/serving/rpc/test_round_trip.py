"""Tensors of every dtype, through the server and a model that returns what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.rpc.dtypes import BY_ENUM, WireType
from serving.rpc.tensors import proto_of
from tests.serving.contract.embedded import EmbeddedServer, LoopThread
from tests.serving.contract.engines import Setup
from tests.serving.contract.half_plus_two import save_functions
from tests.serving.contract.messages import SECONDS, predict, spec
from tests.serving.contract.setups import entry


def echo(wire: WireType) -> Any:
    """A function of one tensor of any shape that returns it, unchanged."""
    dtype = tf.dtypes.as_dtype(wire.enum)

    @tf.function(input_signature=[tf.TensorSpec(None, dtype, name="given")])
    def function(given: Any) -> dict[str, Any]:
        return {"back": tf.identity(given)}

    return function


@pytest.fixture(scope="module")
def echoes(
    server_loop: LoopThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedServer]:
    """A server whose model has a signature for each dtype."""
    folder = tmp_path_factory.mktemp("echo")
    source = save_functions(folder / "1", {wire.name: echo(wire) for wire in BY_ENUM.values()})
    setup = Setup(entry("echo"), {("echo", 1): source})
    server = EmbeddedServer(folder / "server", setup, server_loop)
    yield server
    server.stop()


def ask(server: EmbeddedServer, wire: WireType, proto: Any) -> Any:
    request = predict(spec("echo", wire.name), {"given": proto})
    return server.prediction.Predict(request, timeout=SECONDS).outputs["back"]


def some(wire: WireType, shape: tuple[int, ...]) -> Any:
    """Values over the whole range of a dtype; the same in every run."""
    rng = np.random.default_rng(wire.enum)
    if wire.dtype.kind == "O":
        array = np.empty(shape, object)
        for place in np.ndindex(shape):
            array[place] = rng.bytes(rng.integers(0, 300))
        return array
    if wire.dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if wire.dtype.kind in "iu":
        limits = np.iinfo(wire.dtype)
        array = rng.integers(limits.min, limits.max, shape, wire.dtype, endpoint=True)
        if array.size > 1:
            array.flat[0], array.flat[1] = limits.min, limits.max
        return np.asarray(array)
    if wire.dtype.kind == "c":
        return (rng.normal(size=shape) - 1j * rng.normal(size=shape)).astype(wire.dtype)
    array = np.asarray(rng.normal(size=shape) * 1000).astype(wire.dtype)
    if array.size > 3:
        array.flat[0], array.flat[1], array.flat[2] = np.inf, -np.inf, -0.0
    return array


SHAPES = ((), (0,), (1,), (7,), (3, 4), (2, 0, 5), (2, 1, 3, 2))


@pytest.mark.parametrize("wire", BY_ENUM.values(), ids=lambda wire: wire.name)
def test_every_dtype_comes_back_as_it_was(echoes: EmbeddedServer, wire: WireType) -> None:
    for shape in SHAPES:
        array = some(wire, shape)
        for sent in (proto_of(array, "given"), tf.make_tensor_proto(array, shape=shape)):
            back = tf.make_ndarray(ask(echoes, wire, sent))
            assert back.shape == array.shape
            if wire.dtype.kind == "O":
                assert np.asarray(back, object).tolist() == array.tolist()
            else:
                assert (back.dtype, back.tobytes()) == (array.dtype, array.tobytes())


@pytest.mark.parametrize("wire", BY_ENUM.values(), ids=lambda wire: wire.name)
def test_one_value_comes_back_in_every_place(echoes: EmbeddedServer, wire: WireType) -> None:
    one = some(wire, (1,))
    sent = proto_of(one, "given")
    sent.tensor_shape.CopyFrom(tf.TensorShape([2, 3]).as_proto())
    back = tf.make_ndarray(ask(echoes, wire, sent))
    assert np.asarray(back, object).tolist() == np.full((2, 3), one[0], object).tolist()


windows = hnp.array_shapes(min_dims=1, max_dims=3, max_side=40).flatmap(
    lambda shape: hnp.arrays(np.float32, shape, elements=st.floats(width=32, allow_nan=False))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(array=windows)
def test_windows_of_floats_come_back_bit_by_bit(echoes: EmbeddedServer, array: Any) -> None:
    wire = next(w for w in BY_ENUM.values() if w.dtype == np.float32)
    back = tf.make_ndarray(ask(echoes, wire, tf.make_tensor_proto(array)))
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
