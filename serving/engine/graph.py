"""`restore`: the graph of a SavedModel in a session, its variables and tables filled.

After tensorflow/tensorflow, cc/saved_model/loader.cc, which TensorFlow Serving uses too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2

_INIT_SIGNATURE = "__saved_model_init_op"
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
_ASSETS = "saved_model_assets"


def restore(session: Any, meta_graph: Any, folder: Path) -> None:
    """Puts `meta_graph` into the graph of `session`, and what is in `folder` into the session.

    Raises:
        tf.errors.OpError: If variables or tables cannot be filled.
        ValueError: If the graph cannot be imported.
    """
    with session.graph.as_default():
        tf.import_graph_def(
            meta_graph.graph_def,
            name="",
            producer_op_list=meta_graph.meta_info_def.stripped_op_list,
        )
    feeds = {
        asset.tensor_info.name: str(folder / "assets" / asset.filename)
        for asset in assets_of(meta_graph)
    }
    saver = meta_graph.saver_def
    variables = folder / "variables" / "variables"
    if saver.restore_op_name and variables.with_suffix(".index").exists():
        session.run(saver.restore_op_name, {**feeds, saver.filename_tensor_name: str(variables)})
    init = _init_op(meta_graph)
    if init:
        session.run(init, feeds)


def assets_of(meta_graph: Any) -> list[Any]:
    """The AssetFileDef of each file under `assets/`; TF1 keeps them in a collection."""
    found = list(meta_graph.asset_file_def)
    if found:
        return found
    for packed in meta_graph.collection_def[_ASSETS].any_list.value:
        asset = meta_graph_pb2.AssetFileDef()
        try:
            packed.Unpack(asset)
        except DecodeError:
            continue
        found.append(asset)
    return found


def _init_op(meta_graph: Any) -> str:
    """The operation that fills the tables; empty if there is none."""
    if _INIT_SIGNATURE in meta_graph.signature_def:
        return str(meta_graph.signature_def[_INIT_SIGNATURE].outputs[_INIT_SIGNATURE].name)
    for collection in _INIT_COLLECTIONS:
        if collection in meta_graph.collection_def:
            return str(meta_graph.collection_def[collection].node_list.value[0])
    return ""
