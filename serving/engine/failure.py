"""`failure`: an exception of TensorFlow as a status that a client may see."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from serving.status import Code, ServingError

LONGEST = 2000
"""Characters of a message; TensorFlow can put a whole tensor or graph into one."""
_DETECTED = re.compile(r"^Detected at node .*?(?=^\S[^\n]*\n\t? *\[\[)", re.DOTALL | re.MULTILINE)


def failure(error: BaseException, hide: Iterable[Path] = ()) -> ServingError:
    """The status for `error`.

    Args:
        error: What TensorFlow, or Python on its way there, raised.
        hide: Folders whose names must not reach a client.
    """
    if isinstance(error, ServingError):
        return ServingError(error.code, _presentable(error.message, hide))
    if isinstance(error, tf.errors.OpError):
        known = error.error_code in Code._value2member_map_
        code = Code(error.error_code) if known else Code.UNKNOWN
        return ServingError(code, _presentable(error.message or "", hide))
    if isinstance(error, MemoryError):
        return ServingError(Code.RESOURCE_EXHAUSTED, "out of memory")
    if isinstance(error, (ValueError, TypeError)):
        return ServingError(Code.INVALID_ARGUMENT, _presentable(str(error), hide))
    return ServingError(Code.INTERNAL, _presentable(str(error) or type(error).__name__, hide))


def _presentable(message: str, hide: Iterable[Path]) -> str:
    text = message.split("\n\nOriginal stack trace for")[0].removeprefix("Graph execution error:")
    text = _DETECTED.sub("", text).strip()
    for folder in hide:
        text = text.replace(str(folder), folder.name)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
