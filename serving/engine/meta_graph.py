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
_VARINT, _LENGTH = 0, 2  # wire types of protocol buffers


def ends_early(file: Path) -> bool:
    """Whether the SavedModel in `file` is cut off, as a file is that is still being written.

    A SavedModel is one small field and then, as one field, a whole graph with its length before it,
    so every part of it that is not the whole has no graph or ends inside of it.
    """
    try:
        content = file.read_bytes()
    except OSError:
        return True
    at, graphs = 0, 0
    while at < len(content):
        tag, at = _varint(content, at)
        if tag is None:
            return True
        if tag & 7 == _VARINT:
            value, at = _varint(content, at)
        elif tag & 7 == _LENGTH:
            value, at = _varint(content, at)
            at += value or 0
            graphs += 1
        else:
            return False  # no field of a SavedModel: not cut off but something else
        if value is None or at > len(content):
            return True
    return not graphs


def _varint(content: bytes, at: int) -> tuple[int | None, int]:
    value = 0
    for place, byte in enumerate(content[at : at + 10]):
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value, at + place + 1
    return None, len(content)


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
        f"expected a graph with the one tag {SERVE!r} in the SavedModel, found "
        f"{', '.join(str(sorted(each)) for each in tags) or 'no graph'}; export it for serving",
    )
