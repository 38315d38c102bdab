"""What a client sees of an exception."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from serving.engine.failure import LONGEST, failure, presentable
from serving.status import Code, ServingError

OP_ERRORS = [
    (tf.errors.InvalidArgumentError, Code.INVALID_ARGUMENT),
    (tf.errors.NotFoundError, Code.NOT_FOUND),
    (tf.errors.ResourceExhaustedError, Code.RESOURCE_EXHAUSTED),
    (tf.errors.FailedPreconditionError, Code.FAILED_PRECONDITION),
    (tf.errors.DataLossError, Code.DATA_LOSS),
    (tf.errors.CancelledError, Code.CANCELLED),
    (tf.errors.UnimplementedError, Code.UNIMPLEMENTED),
    (tf.errors.InternalError, Code.INTERNAL),
]


@pytest.mark.parametrize(("kind", "code"), OP_ERRORS)
def test_errors_of_tensorflow_keep_their_code(kind: type[tf.errors.OpError], code: Code) -> None:
    found = failure(kind(None, None, "what happened"))
    assert (found.code, found.message) == (code, "what happened")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ServingError(Code.ABORTED, "x"), Code.ABORTED),
        (ValueError("x"), Code.INVALID_ARGUMENT),
        (TypeError("x"), Code.INVALID_ARGUMENT),
        (MemoryError(), Code.RESOURCE_EXHAUSTED),
        (RuntimeError(), Code.INTERNAL),
        (OSError(5, "Input/output error"), Code.INTERNAL),
    ],
)
def test_other_errors_have_a_code_and_a_message(error: Exception, code: Code) -> None:
    found = failure(error)
    assert found.code is code
    assert found.message


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("no /srv/models/co2/7/variables/variables.index", "no variables.index"),
        ("'/a/b/c d.txt' is missing", "'c d.txt' is missing"),
        ("/a/b", "b"),
        ("Not found: /x/y/z; No such file", "Not found: z; No such file"),
        ("m/x and 1/2 and /etc stay", "m/x and 1/2 and /etc stay"),
        ("\t [[{{node model/lstm/while/MatMul}}]]", "[[{{node model/lstm/while/MatMul}}]]"),
        ("bad [Op:IteratorGetNext] name: ", "bad"),
        ("Graph execution error:\n\nit broke", "it broke"),
        ("it broke\n\nOriginal stack trace for 'x':\n  File x.py", "it broke"),
    ],
)
def test_paths_and_words_for_programmers_are_left_out(message: str, shown: str) -> None:
    assert presentable(message) == shown


@given(st.lists(st.text("ab /'.()", min_size=1, max_size=6), min_size=1, max_size=4), st.text())
def test_a_hidden_folder_is_not_shown_whatever_its_name(names: list[str], rest: str) -> None:
    folder = Path("/srv").joinpath(*(name.replace("/", "") or "x" for name in names))
    shown = presentable(f"in {folder}/saved_model.pb {rest}", hide=[folder])
    assert str(folder) not in shown
    assert "saved_model.pb" in shown


def test_a_message_is_bounded() -> None:
    shown = presentable("x" * 10_000_000)
    assert len(shown) == LONGEST
    assert shown.endswith("...")
