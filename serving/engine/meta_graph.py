"""`read_meta_graph`: the graph of a SavedModel that is meant for serving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from serving.status import Code, ServingError

BINARY = "saved_model.pb"
TEXT = "saved_model.pbtxt"
SERVE = "serve"


def read_meta_graph(folder: Path) -> Any:
    """The MetaGraphDef of the SavedModel in `folder` whose only tag is `serve`.

    Raises:
        ServingError: If there is no SavedModel, it cannot be parsed, or it has no such graph.
    """
    saved_model = saved_model_pb2.SavedModel()
    try:
        if (folder / BINARY).is_file():
            saved_model.ParseFromString((folder / BINARY).read_bytes())
        elif (folder / TEXT).is_file():
            text_format.Parse((folder / TEXT).read_text(encoding="utf-8"), saved_model)
        else:
            raise ServingError(
                Code.NOT_FOUND, f"expected a SavedModel, but found no {BINARY} and no {TEXT}"
            )
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise ServingError(
            Code.DATA_LOSS, f"{BINARY} is not a SavedModel: it cannot be parsed; export it again"
        ) from error
    except OSError as error:
        raise ServingError(
            Code.UNAVAILABLE, f"{BINARY} cannot be read: {error.strerror or error}"
        ) from error
    tags = []
    for meta_graph in saved_model.meta_graphs:
        tags.append(set(meta_graph.meta_info_def.tags))
        if tags[-1] == {SERVE}:
            return meta_graph
    raise ServingError(
        Code.NOT_FOUND,
        f"expected a graph with the tag {{ {SERVE} }} in the SavedModel, found graphs with the tags "
        f"{', '.join(map(str, map(sorted, tags))) or 'of none'}; export it for serving",
    )
