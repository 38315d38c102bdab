"""Models as TensorFlow 2 and Keras save them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tensorflow as tf

from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.half_plus_two import save_functions
from tests.serving.contract.predicts import assert_predicts
from tests.serving.contract.setups import entry

pytestmark = pytest.mark.contract("model_servers/tensorflow_model_server_test.py")


def test_a_function_of_tensorflow_2(
    serve: Callable[[Setup], Running], tmp_path_factory: pytest.TempPathFactory
) -> None:
    three, two = tf.Variable(3.0), tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def product(x: Any) -> dict[str, Any]:
        return {"y": three * two * x}

    version = save_functions(
        tmp_path_factory.mktemp("product") / "123", {"serving_default": product}, (three, two)
    )
    server = serve(Setup(entry("default"), {("default", 123): version}))
    assert_predicts(server, "default", 12.0, outputs=())


def test_several_functions_of_tensorflow_2(
    serve: Callable[[Setup], Running], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def constant(value: float) -> Any:
        @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
        def function(x: Any) -> dict[str, Any]:
            return {"y": tf.constant([value])}

        return function

    version = save_functions(
        tmp_path_factory.mktemp("constants") / "123",
        {"serving_default": constant(1.0), "custom_signature_key": constant(2.0)},
    )
    server = serve(Setup(entry("default"), {("default", 123): version}))
    assert_predicts(server, "default", 2.0, signature="custom_signature_key")
    assert_predicts(server, "default", 1.0)


def identity_of_keras() -> Any:
    """A Sequential whose output `y` is its input `x`."""
    import keras

    return keras.Sequential(
        [keras.layers.Input((1,), name="x"), keras.layers.Identity(name="y")], name="identity"
    )


def dense_of_keras() -> Any:
    """As `identity_of_keras`, but with a weight (1) that lives under a distribution strategy."""
    import keras

    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="y")
        return keras.Sequential([keras.layers.Input((1,), name="x"), dense], name="dense")


@pytest.mark.parametrize("build", [identity_of_keras, dense_of_keras])
def test_a_sequential_of_keras(
    serve: Callable[[Setup], Running],
    tmp_path_factory: pytest.TempPathFactory,
    build: Callable[[], Any],
) -> None:
    model = build()

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
    def call(x: Any) -> dict[str, Any]:
        return {"y": model(x)}

    folder = tmp_path_factory.mktemp("keras") / "123"
    save_functions(folder, {"serving_default": call}, [v.value for v in model.variables])
    server = serve(Setup(entry("default"), {("default", 123): folder}))
    assert_predicts(server, "default", 2.0, outputs=(), shape=(1, 1))
