"""The parser: what it takes, what it refuses, and that it names the place."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.rest import json_text
from serving.rest.json_text import INFINITY, MINUS_INFINITY, overflowed, parse, show
from serving.status import Code, ServingError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)
DOCUMENTS = st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, max_size=4)
SPACES = st.text(" \t\r\n", max_size=3)
# At any size, and from the first character on: rows in C, what is around them in Python.
SHARED = pytest.mark.parametrize("shared_from", [1 << 40, 0], ids=["at once", "row by row"])


@SHARED
@given(document=DOCUMENTS, before=SPACES, after=SPACES, ascii_only=st.booleans())
def test_reads_what_json_writes(
    shared_from: int, document: dict[str, Any], before: str, after: str, ascii_only: bool
) -> None:
    text = before + json.dumps(document, ensure_ascii=ascii_only, indent=1) + after
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_SHARED_FROM", shared_from)
        assert parse(text.encode()) == document


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "The document is empty"),
    "white space": (b" \n\t ", "The document is empty"),
    "a byte order mark": (b"\xef\xbb\xbf", "The document is empty"),
    "a word": (b"instances", "Invalid value. at offset: 0"),
    "a list": (b"[1, 2]", "JSON Value: [1, 2] Is not object"),
    "a string": (b'"x"', 'JSON Value: "x" Is not object'),
    "null": (b"null", "JSON Value: null Is not object"),
    "something after it": (b'{"a": 1} x', "must not be followed by other values. at offset: 9"),
    "two documents": (b'{"a": 1}{"a": 1}', "must not be followed by other values. at offset: 8"),
    "a NUL after it": (b'{"a": 1}\0', "must not be followed by other values. at offset: 8"),
    "no value": (b'{"a": }', "Invalid value. at offset: 6"),
    "no end": (b'{"a": 1', "Missing a comma, or the end, after"),
    "no end of a list": (b'{"a": [1, 2', "Missing a comma, or the end, after"),
    "no end of a string": (b'{"a": "x', "Missing a closing quotation mark in string"),
    "no colon": (b'{"a" 1}', "Missing a colon after a name of object member. at offset: 5"),
    "no quotes": (b"{a: 1}", "Missing a name for object member. at offset: 1"),
    "single quotes": (b"{'a': 1}", "Missing a name for object member. at offset: 1"),
    "a comma at the end": (b'{"a": [1, ]}', "Invalid value. at offset: 10"),
    "a comment": (b'{"a": 1 /* one */}', "Missing a comma, or the end, after"),
    "a leading zero": (b'{"a": 01}', "Missing a comma, or the end, after"),
    "a plus": (b'{"a": +1}', "Invalid value. at offset: 6"),
    "hexadecimal": (b'{"a": 0x10}', "Missing a comma, or the end, after"),
    "nan in small letters": (b'{"a": nan}', "Invalid value. at offset: 6"),
    "a control character": (b'{"a": "x\x01"}', "Invalid encoding in string"),
    "an unknown escape": (b'{"a": "\\x41"}', "Invalid escape character in string"),
    "half an escape": (b'{"a": "\\u00"}', "Incorrect hex digit after \\u escape in string"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "Invalid encoding"),
    "Latin-1": ('{"ä": 1}'.encode("latin-1"), "expected UTF-8. at offset: 2"),
    "overlong UTF-8": (b'{"a": "\xc0\xaf"}', "expected UTF-8. at offset: 7"),
    "a surrogate in UTF-8": (b'{"a": "\xed\xa0\x80"}', "expected UTF-8. at offset: 7"),
    "the first half of a pair": (b'{"a": "\\ud83d"}', "surrogate pair in string is invalid"),
    "the second half": (b'{"a": "\\ude00"}', "surrogate pair in string is invalid. at offset: 7"),
    "two first halves": (b'{"a": "\\ud83d\\ud83d"}', "surrogate pair in string is invalid"),
    "halves apart": (b'{"a": "\\ud83d \\ude00"}', "surrogate pair in string is invalid"),
    "half a pair in a name": (b'{"\\uD83D": 1}', "surrogate pair in string is invalid"),
    "the same key twice": (b'{"a": 1, "a": 1}', 'Object has the key "a" more than once'),
    "the same key twice, inside": (b'{"a": [{"b": 1, "b": 2}]}', 'has the key "b" more than once'),
    "a very long integer": (b'{"a": ' + b"9" * 5000 + b"}", "Number too big"),
    "very deep lists": (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    "very deep objects": (b'{"a": ' * 100_000, "nested too deeply"),
    "deep and whole": (b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deeply"),
}


@SHARED
@pytest.mark.parametrize("case", REFUSED)
def test_refuses_and_names_the_place(
    case: str, shared_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_text, "_SHARED_FROM", shared_from)
    body, says = REFUSED[case]
    with pytest.raises(ServingError) as refusal:
        parse(body)
    assert refusal.value.code is Code.INVALID_ARGUMENT
    assert says in refusal.value.message
    assert len(refusal.value.message) < 500
    refusal.value.message.encode("utf-8")


def test_offsets_count_bytes_as_the_client_sent_them() -> None:
    body = '{"ää": "ö" }x'.encode()
    with pytest.raises(ServingError) as refusal:
        parse(body)
    assert refusal.value.message.endswith(f"at offset: {body.index(b'x')}")


def test_pairs_of_surrogates_and_escaped_backslashes_are_text() -> None:
    assert parse(rb'{"a": "\ud83d\ude00", "b": "\\ud83d"}') == {"a": "😀", "b": "\\ud83d"}


def test_tokens_are_told_from_numbers_too_big() -> None:
    read = parse(b'{"a": [NaN, Infinity, -Infinity, 1e999, -1e999]}')["a"]
    assert math.isnan(read[0])
    assert read[1] is INFINITY
    assert read[2] is MINUS_INFINITY
    assert [overflowed(value) for value in read] == [False, False, False, True, True]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@given(st.binary(max_size=200))
@example(b"\x80")
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    _read_or_refused(body)


@given(st.text('{}[]":,\\ud83e0123456789.-+eEnNaIfty \n\ttrulsb64instances', max_size=80))
def test_anything_that_looks_like_json_is_read_or_refused(text: str) -> None:
    _read_or_refused(text.encode())


@given(DOCUMENTS, st.data())
def test_mutilated_documents_are_read_or_refused(document: Any, data: st.DataObject) -> None:
    body = bytearray(json.dumps(document).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(body) - 1)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    _read_or_refused(bytes(body))


def _read_or_refused(body: bytes) -> None:
    found = None
    try:
        found = parse(body)
    except ServingError as error:
        refusal = error
    if found is None:
        assert refusal.code is Code.INVALID_ARGUMENT
        assert refusal.message
    else:
        assert found == json.loads(body.decode("utf-8-sig")) or b"NaN" in body


@given(VALUES)
def test_shown_values_are_short(value: Any) -> None:
    assert len(show(value)) <= json_text.SHOWN + 3


def test_deep_values_are_shown() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert show(deep).startswith("[[[")
    while deep:
        deep = deep.pop()  # or freeing it would recurse
