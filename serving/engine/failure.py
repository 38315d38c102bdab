"""`failure`: an exception of TensorFlow as a status that a client may see."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from serving.status import Code, ServingError

LONGEST = 1024
"""Characters of a message; TensorFlow can put a whole tensor or graph into one."""
_CODES = {int(code): code for code in Code}
_FOLDERS = re.compile(r"(?<![\w./:])/(?:[^\s/:;,'\"()\[\]{}]+/)+")
"""The folders of an absolute path, up to the name of the file."""
_EAGER_OP = re.compile(r"\s*\[Op:\w+\](?: name:.*)?\s*$")


def failure(error: BaseException, hide: Iterable[Path] = ()) -> ServingError:
    """The status for `error`.

    Args:
        error: What TensorFlow, or Python on its way there, raised.
        hide: Folders that can have any name; other paths are cut to their last part anyway.
    """
    if isinstance(error, ServingError):
        return ServingError(error.code, presentable(error.message, hide))
    if isinstance(error, tf.errors.OpError):
        code = _CODES.get(error.error_code, Code.UNKNOWN)
        return ServingError(code, presentable(error.message or type(error).__name__, hide))
    if isinstance(error, UnicodeDecodeError):
        # A message of TensorFlow that quotes what a client sent, which Python could not read; its
        # code is lost with it.
        text = bytes(error.object).decode("utf-8", "replace")
        return ServingError(Code.INVALID_ARGUMENT, presentable(text, hide))
    if isinstance(error, MemoryError):
        return ServingError(Code.RESOURCE_EXHAUSTED, "out of memory")
    if isinstance(error, (ValueError, TypeError)):
        return ServingError(Code.INVALID_ARGUMENT, presentable(str(error), hide))
    return ServingError(Code.INTERNAL, presentable(str(error) or type(error).__name__, hide))


def presentable(message: str, hide: Iterable[Path] = ()) -> str:
    """`message` without folders, among them `hide`, and what TensorFlow says to programmers."""
    text = message[: 8 * LONGEST]  # before it is searched: it may hold a whole tensor
    text = _EAGER_OP.sub("", text.split("\n\nOriginal stack trace for")[0])
    text = text.removeprefix("Graph execution error:").strip()
    for folder in sorted(map(str, hide), key=len, reverse=True):
        text = text.replace(f"{folder}/", "").replace(folder, folder.rpartition("/")[2])
    text = _FOLDERS.sub("", text)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
