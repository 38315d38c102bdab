"""`<config>.schema.pbtxt`: the schema that people review, edit and commit."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import BadInputError

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema

FILE = "schema.pbtxt"
AS_INFERRED = "as-inferred"
_BODY, _DATA = "# sha256 of the lines below: ", "# inferred from data: "
_HEADER = """\
# What the data of this pipeline must look like: a TensorFlow Metadata schema, inferred from the
# first run. Review it, tighten it, and commit it; later runs stop before training when the data
# breaks it. To allow values from 0 to 50 only, add to a feature:
#   float_domain { min: 0 max: 50 }
# presence { min_fraction: 0.9 } means that at most one value in ten may be missing. Delete this
# file to have it inferred again.
"""


def with_header(body: str, data_key: str) -> str:
    """The text of a schema file as inferred: comments, then `body`.

    Args:
        body: A Schema in text format.
        data_key: What names the data that it was inferred from.
    """
    return f"{_HEADER}{_DATA}{data_key}\n{_BODY}{_sha256(body)}\n{body}"


def schema_digest(schema_file: Path, data_key: str) -> str:
    """What the cache goes by: `as-inferred`, or the digest of a file that says something else.

    A file that nobody edited and that was inferred from this very data would be inferred again.
    It counts as missing, so that the run after the first one can re-use everything.

    Raises:
        BadInputError: If the file is there and is no schema.
    """
    if not schema_file.exists():
        return AS_INFERRED
    text = _read(schema_file)
    parse(text, schema_file)
    lines = text.splitlines(keepends=True)
    body = "".join(line for line in lines if not line.startswith("#"))
    if f"{_DATA}{data_key}\n" in lines and f"{_BODY}{_sha256(body)}\n" in lines:
        return AS_INFERRED
    return _sha256(text)


def parse(text: str, path: Path) -> Schema:
    """A Schema from text format.

    Raises:
        BadInputError: If it is none; the message has the line and column.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    try:
        return text_format.Parse(text, schema_pb2.Schema())
    except text_format.ParseError as error:
        line, column = error.GetLine(), error.GetColumn()
        place = f":{line}:{column}" if line is not None else ""
        message = str(error).removeprefix(f"{line}:{column} : ")
        raise BadInputError(
            f"{path}{place}: no valid schema: {message}; correct it, or delete the file to have "
            "it inferred again"
        ) from None


def publish_schema(schema_artifact_dir: Path, schema_file: Path) -> bool:
    """Puts an inferred schema where people find it, unless there is one already.

    Args:
        schema_artifact_dir: Folder of the Schema artifact.
        schema_file: `<config>.schema.pbtxt`.

    Returns:
        Whether the file was written.
    """
    if schema_file.exists():
        return False
    text = _read(schema_artifact_dir / FILE)
    temporary = schema_file.with_name(f".{schema_file.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(schema_file)
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInputError(f"{path}: no valid schema: the file is not UTF-8 text") from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
