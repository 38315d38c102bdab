"""SavedModels that cannot be loaded, or not be run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.engine.servable import Servable
from serving.engine.signature import PREDICT
from serving.status import Code, ServingError
from tests.serving.conftest import ModelFamily


def _no_model(folder: Path) -> None:
    (folder / "saved_model.pb").unlink()


def _garbage(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"\xff\xff not a SavedModel")


def _other_tags(folder: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    proto = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    proto.meta_graphs[0].meta_info_def.tags[:] = ["train"]
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())


def _unknown_op(folder: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    proto = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    proto.meta_graphs[0].graph_def.node.add(name="strange", op="NoSuchOp")
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())


def _no_weights(folder: Path) -> None:
    shutil.rmtree(folder / "variables")


def _other_weights(folder: Path) -> None:
    shard = folder / "variables" / "variables.data-00000-of-00001"
    shard.write_bytes(bytes(b ^ 1 for b in shard.read_bytes()))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_no_model, "found no saved_model.pb and no saved_model.pbtxt"),
        (_garbage, "saved_model.pb is not a SavedModel"),
        (_other_tags, "expected a graph with the one tag 'serve'.*'train'"),
        (_unknown_op, "NoSuchOp"),
        (_other_weights, "."),
    ],
)
def test_what_cannot_be_loaded_says_why_and_not_where(
    family: ModelFamily, tmp_path: Path, damage: Any, message: str
) -> None:
    copy = shutil.copytree(family.half_plus_two, tmp_path / "models" / "1")
    damage(copy)
    with pytest.raises(ServingError, match=message) as caught:
        Servable("m", 1, copy)
    assert str(tmp_path) not in caught.value.message
    assert caught.value.code is not Code.OK


def test_a_sparse_tensor_cannot_be_sent(tmp_path: Path) -> None:
    from tensorflow.core.protobuf import meta_graph_pb2

    tf1 = tf.compat.v1
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = tf1.sparse_placeholder(tf.float32, name="x")
        y = tf.sparse.to_dense(x, name="y")
        signature = meta_graph_pb2.SignatureDef(method_name=PREDICT)
        signature.inputs["x"].CopyFrom(tf1.saved_model.utils.build_tensor_info(x))
        signature.outputs["y"].CopyFrom(tf1.saved_model.utils.build_tensor_info(y))
        builder = tf1.saved_model.Builder(str(tmp_path / "1"))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
    servable = Servable("sparse", 1, tmp_path / "1")
    with pytest.raises(ServingError, match="sparse") as caught:
        servable.run("serving_default", {"x": np.zeros(3, np.float32)})
    assert caught.value.code is Code.UNIMPLEMENTED
    servable.close()
