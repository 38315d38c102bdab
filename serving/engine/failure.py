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
_EAGER_OP = re.compile(r"\s*\[Op:\w+\](?: name:.*)?\s*$")


def failure(error: BaseException, hide: Iterable[Path] = ()) -> ServingError:
    """The status for `error`.

    Args:
        error: What TensorFlow, or Python on its way there, raised.
        hide: Folders whose names must not reach a client.
    """
    if isinstance(error, ServingError):
        return ServingError(error.code, presentable(error.message, hide))
    if isinstance(error, tf.errors.OpError):
        code = _CODES.get(error.error_code, Code.UNKNOWN)
        return ServingError(code, presentable(error.message or type(error).__name__, hide))
    if isinstance(error, MemoryError):
        return ServingError(Code.RESOURCE_EXHAUSTED, "out of memory")
    if isinstance(error, (ValueError, TypeError)):
        return ServingError(Code.INVALID_ARGUMENT, presentable(str(error), hide))
    return ServingError(Code.INTERNAL, presentable(str(error) or type(error).__name__, hide))


def presentable(message: str, hide: Iterable[Path] = ()) -> str:
    """`message` without the folders `hide` and what TensorFlow says for Python programmers."""
    text = _EAGER_OP.sub("", message.split("\n\nOriginal stack trace for")[0])
    text = text.removeprefix("Graph execution error:").strip()
    for folder in hide:
        text = text.replace(str(folder), folder.name)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
