"""The half_plus_two family: the models that TF Serving's own tests serve, built by our own code.

`y = x / 2 + 2`, `y2 = x / 2 + 3` and `y3 = x2 / 2 + 3`, as TensorFlow 1 signatures: a serialized
`tf.Example` with the features `x` and `x2` for classify and regress, plain tensors for predict. As
in the originals the tensor `x` is no placeholder, so any shape can be fed for it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import prediction_log_pb2

tf1 = tf.compat.v1

PREDICT = "tensorflow/serving/predict"
CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"


def half_plus(
    directory: Path,
    constant: float = 2.0,
    *,
    only: Sequence[str] | None = None,
    default_method: str = PREDICT,
    init: bool = False,
) -> Path:
    """Writes `y = x / 2 + constant` (and `y2`, `y3` with the constant 3) as a SavedModel.

    Args:
        directory: The version directory, such as `half_plus_two/00000123`; must not exist.
        constant: 2 for half_plus_two, 3 for half_plus_three.
        only: Names of the signatures to keep (all).
        default_method: Method name of serving_default: predict over `x`, or regress or classify
            over serialized examples.
        init: Give the model a main op that also initialises tables, not the asset's op alone.

    Returns:
        `directory`.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tf1.Graph().as_default(), tf1.Session() as session, tf.device("/cpu:0"):
        a, b, c = (
            tf1.Variable(value, name=name, use_resource=True)
            for name, value in (("a", 0.5), ("b", constant), ("c", 3.0))
        )
        serialized = tf1.placeholder(tf.string, name="tf_example")
        parsed = tf1.parse_example(
            serialized,
            {
                "x": tf1.FixedLenFeature([1], tf.float32),
                "x2": tf1.FixedLenFeature([1], tf.float32, default_value=[0.0]),
            },
        )
        x, x2 = (_column(parsed[name], name) for name in ("x", "x2"))
        y, y2, y3 = (
            _column(a * value + add, name)
            for name, value, add in (("y", x, b), ("y2", x, c), ("y3", x2, c))
        )
        default = {
            PREDICT: lambda: _signature({"x": x}, {"y": y}, PREDICT),
            REGRESS: lambda: _signature({"inputs": serialized}, {"outputs": y}, REGRESS),
            CLASSIFY: lambda: _signature({"inputs": serialized}, {"scores": y}, CLASSIFY),
        }[default_method]
        signatures = {
            "serving_default": default(),
            "regress_x_to_y": _signature({"inputs": serialized}, {"outputs": y}, REGRESS),
            "regress_x_to_y2": _signature({"inputs": serialized}, {"outputs": y2}, REGRESS),
            "regress_x2_to_y3": _signature({"inputs": x2}, {"outputs": y3}, REGRESS),
            "classify_x_to_y": _signature({"inputs": serialized}, {"scores": y}, CLASSIFY),
            "classify_x2_to_y3": _signature({"inputs": x2}, {"scores": y3}, CLASSIFY),
        }
        kept = {n: s for n, s in signatures.items() if only is None or n in only}
        session.run(tf1.global_variables_initializer())
        _save(session, directory, kept, asset=True, tables=init)
    return directory


def counter(directory: Path) -> Path:
    """Writes a model with state: get_counter, incr_counter, incr_counter_by, reset_counter."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tf1.Graph().as_default(), tf1.Session() as session:
        value = tf1.Variable(0.0, name="counter", use_resource=True)
        delta = tf1.placeholder(tf.float32, name="delta")
        changed = {
            "get_counter": ({}, tf.identity(value, name="get")),
            "incr_counter": ({}, tf.identity(value.assign_add(1.0), name="incr")),
            "incr_counter_by": (
                {"delta": delta},
                tf.identity(value.assign_add(delta), name="incr_by"),
            ),
            "reset_counter": ({}, tf.identity(value.assign(0.0), name="reset")),
        }
        session.run(tf1.global_variables_initializer())
        signatures = {
            name: _signature(inputs, {"output": output}, PREDICT)
            for name, (inputs, output) in changed.items()
        }
        _save(session, directory, signatures)
    return directory


def classifier(directory: Path) -> Path:
    """Writes a model of two classes: `high` scores `x`, `low` scores `1 - x`.

    Signatures: serving_default and `classes_and_scores` give both; `classes_only` and `scores_only`
    one of the two; `predict` the scores for a tensor `x` float32 [batch, 1].
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tf1.Graph().as_default(), tf1.Session() as session:
        serialized = tf1.placeholder(tf.string, [None], name="tf_example")
        features = tf1.parse_example(serialized, {"x": tf1.FixedLenFeature([1], tf.float32)})
        x = tf.identity(features["x"], name="x")
        scores = tf.concat([x, 1.0 - x], axis=1, name="scores")
        labels = tf1.Variable([b"high", b"low"], name="labels", use_resource=True)
        classes = tf.tile(labels[None, :], [tf.shape(scores)[0], 1], name="classes")
        inputs = {"inputs": serialized}
        both = _signature(inputs, {"classes": classes, "scores": scores}, CLASSIFY)
        session.run(tf1.global_variables_initializer())
        signatures = {
            "serving_default": both,
            "classes_and_scores": both,
            "classes_only": _signature(inputs, {"classes": classes}, CLASSIFY),
            "scores_only": _signature(inputs, {"scores": scores}, CLASSIFY),
            "predict": _signature({"x": x}, {"scores": scores}, PREDICT),
        }
        _save(session, directory, signatures)
    return directory


def half_plus_two_tf2(directory: Path) -> Path:
    """Writes half_plus_two with TensorFlow 2, where every signature's method is predict.

    serving_default, regress_x2_to_y3 and classify_x2_to_y3 take a float32 [1], the others
    serialized examples.
    """
    a, b, c = tf.Variable(0.5), tf.Variable(2.0), tf.Variable(3.0)
    features = {
        "x": tf.io.FixedLenFeature([1], tf.float32),
        "x2": tf.io.FixedLenFeature([1], tf.float32, default_value=[0.0]),
    }

    def of_examples(feature: str, add: tf.Variable, output: str) -> Any:
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
        def function(inputs: Any) -> dict[str, Any]:
            return {output: a * tf.io.parse_example(inputs, features)[feature] + add}

        return function

    def of_row(input_name: str, add: tf.Variable, output: str) -> Any:
        @tf.function(input_signature=[tf.TensorSpec([1], tf.float32, name=input_name)])
        def function(value: Any) -> dict[str, Any]:
            return {output: a * value + add}

        return function

    return save_functions(
        directory,
        {
            "serving_default": of_row("x", b, "y"),
            "regress_x_to_y": of_examples("x", b, "outputs"),
            "regress_x_to_y2": of_examples("x", c, "outputs"),
            "regress_x2_to_y3": of_row("inputs", c, "outputs"),
            "classify_x_to_y": of_examples("x", b, "scores"),
            "classify_x2_to_y3": of_row("inputs", c, "scores"),
        },
        variables=(a, b, c),
    )


def save_functions(
    directory: Path, functions: Mapping[str, Any], variables: Sequence[tf.Variable] = ()
) -> Path:
    """Writes TensorFlow 2 functions as signatures by name; their method is always predict.

    Args:
        directory: The version directory.
        functions: By signature name, a `tf.function` with an input signature that returns a dict.
        variables: All that the functions use.
    """
    module = tf.Module()
    module.functions = list(functions.values())
    module.used = list(variables)
    tf.saved_model.save(
        module, str(directory), {n: f.get_concrete_function() for n, f in functions.items()}
    )
    return directory


def write_warmup(directory: Path, logs: Sequence[prediction_log_pb2.PredictionLog | bytes]) -> Path:
    """Writes the requests that a server sends to the model in `directory` before it takes traffic.

    Args:
        directory: The version directory.
        logs: The requests; bytes are written as they are.

    Returns:
        The file.
    """
    path = directory / WARMUP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs:
            writer.write(log if isinstance(log, bytes) else log.SerializeToString())
    return path


def copy_version(source: Path, base: Path, version: int) -> Path:
    """Makes `source` a version in `base` the way a push does: copied aside, then renamed."""
    base.mkdir(parents=True, exist_ok=True)
    staging = base / f".staging-{version}"
    shutil.copytree(source, staging)
    return staging.rename(base / str(version))


def _column(value: Any, name: str) -> Any:
    column = tf.identity(value, name=name)
    column.set_shape([None, 1])
    return column


def _signature(inputs: Mapping[str, Any], outputs: Mapping[str, Any], method: str) -> Any:
    definition = meta_graph_pb2.SignatureDef(method_name=method)
    for side, tensors in ((definition.inputs, inputs), (definition.outputs, outputs)):
        for name, tensor in tensors.items():
            side[name].name = tensor.name
            side[name].dtype = tensor.dtype.as_datatype_enum
            side[name].tensor_shape.CopyFrom(tensor.shape.as_proto())
    return definition


def _save(
    session: Any,
    directory: Path,
    signatures: Mapping[str, Any],
    *,
    asset: bool = False,
    tables: bool = False,
) -> None:
    builder = tf1.saved_model.Builder(str(directory))
    options: dict[str, Any] = {}
    ops = []
    if asset:
        file = directory.parent / f".asset-{directory.name}" / "foo.txt"
        file.parent.mkdir()
        file.write_text("asset-file-contents", encoding="utf-8")
        path = tf.constant(str(file), name="asset_path")
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, path)
        held = tf1.Variable("", name="filename_tensor", use_resource=True, collections=[])
        # Not among the saved variables: only the main op gives it a value, as in the original.
        ops.append(held.assign(file.name))
        options["assets_collection"] = tf1.get_collection(tf1.GraphKeys.ASSET_FILEPATHS)
    if tables:
        ops.append(tf1.tables_initializer())
    if ops:
        options["main_op"] = tf.group(*ops, name="init")
    builder.add_meta_graph_and_variables(
        session, [tf.saved_model.SERVING], signature_def_map=dict(signatures), **options
    )
    builder.save()
    if asset:
        shutil.rmtree(file.parent)
