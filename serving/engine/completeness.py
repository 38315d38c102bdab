"""`Inspection`: whether a version folder is there as a whole, or still being written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from serving.engine.graph import assets_of
from serving.engine.meta_graph import BINARY, TEXT, ends_early, read_meta_graph
from serving.status import ServingError

_SHARD = re.compile(r"variables\.data-(\d{5})-of-(\d{5})")
_VARIABLES = {"VarHandleOp", "VariableV2", "Variable"}
Fingerprint = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Inspection:
    """What was seen of a version folder.

    Attributes:
        missing: What a SavedModel of this kind has and the folder has not, in words; None if
            nothing is missing. A folder from which something is missing is not loaded: whoever
            writes it may not be done.
        fingerprint: Name, inode, size and time of change of each file.
    """

    missing: str | None
    fingerprint: Fingerprint


def inspect(folder: Path, before: Inspection | None = None) -> Inspection:
    """Looks at the files in `folder`; loads nothing.

    A folder is complete when `saved_model.pb` is there and so are the assets it names, the index of
    the variables, every shard of them, and in the shards as many bytes as the index speaks of. So a
    folder that was renamed into place is complete at first sight, however young its files are, and
    one that is being copied is not, whatever is copied first. (Of an asset only the name is known,
    not the size.) What is there but cannot be read counts as complete: loading it says what is
    wrong with it.

    Args:
        folder: Of a version.
        before: The last inspection; returned if no file has changed since.
    """
    seen = fingerprint(folder)
    if before is not None and before.fingerprint == seen:
        return before
    return Inspection(_missing(folder, {name: size for name, _, size, _ in seen}), seen)


def fingerprint(folder: Path) -> Fingerprint:
    """Name, inode, size and time of change in nanoseconds of each file below `folder`."""
    files = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            try:
                stat = path.stat()
            except OSError:  # gone since, or a broken link
                continue
            relative = path.relative_to(folder).as_posix()
            files.append((relative, stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(files))


def _missing(folder: Path, sizes: dict[str, int]) -> str | None:
    if not sizes.get(BINARY) and not sizes.get(TEXT):
        return f"{BINARY} is missing or empty"
    if BINARY in sizes and ends_early(folder / BINARY):
        return f"{BINARY} ends in the middle"
    try:
        meta_graph = read_meta_graph(folder)
    except ServingError:
        return None
    for asset in assets_of(meta_graph):
        if f"assets/{asset.filename}" not in sizes:
            return f"assets/{asset.filename} is missing"
    if not _has_variables(meta_graph):
        return None
    index = "variables/variables.index"
    if not sizes.get(index):
        return f"{index} is missing or empty"
    shards = [m for m in (_SHARD.fullmatch(Path(name).name) for name in sizes) if m]
    if not shards:
        return "variables/variables.data-* is missing"
    count = int(shards[0][2])
    absent = sorted(set(range(count)) - {int(shard[1]) for shard in shards})
    if absent:
        return f"variables/variables.data-{absent[0]:05}-of-{count:05} is missing"
    present = sum(sizes[f"variables/{shard[0]}"] for shard in shards)
    if present < _bytes_of_variables(folder / "variables" / "variables", present):
        return "variables/variables.data-* is shorter than variables.index says"
    return None


def _has_variables(meta_graph: Any) -> bool:
    """TF2 always writes variables, if only to say that there are none; TF1 only if there are."""
    if not meta_graph.saver_def.restore_op_name:
        return False
    return len(meta_graph.object_graph_def.nodes) > 0 or any(
        node.op in _VARIABLES for node in meta_graph.graph_def.node
    )


def _bytes_of_variables(prefix: Path, present: int) -> int:
    """What the shards should hold by the index; 0 if that cannot be read.

    Numbers have the size of their shape; strings are read, for their lengths are in the shards.
    """
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = reader.get_variable_to_shape_map()
        dtypes = reader.get_variable_to_dtype_map()
        strings = [reader.get_tensor(name) for name in shapes if dtypes[name] == tf.string]
    except (IndexError, tf.errors.OutOfRangeError):  # read past the end of a shard
        return present + 1
    except (tf.errors.OpError, RuntimeError, ValueError, LookupError):
        return 0
    total = sum(_bytes_of_strings(np.asarray(each, dtype=object)) for each in strings)
    for name, shape in shapes.items():
        if dtypes[name] != tf.string:
            total += int(np.prod(shape, dtype=np.int64)) * dtypes[name].size
    return total


def _bytes_of_strings(values: np.ndarray[Any, Any]) -> int:
    """Of a string tensor in a shard: lengths as varints, their checksum, then the strings."""
    lengths = [len(value) for value in values.flat]
    return 4 + sum(max(1, -(-n.bit_length() // 7)) + n for n in lengths)
