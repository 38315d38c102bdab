"""Cutting texts and looking symbols up, against plain Python."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sequences.spec import SequenceInputs
from models.sequences.text import SymbolLookup, TextSplitter, cut, folded, lower
from tests import sequences

Split = Literal["whitespace", "words", "characters"]
SPLITS: tuple[Split, ...] = ("whitespace", "words", "characters")
SPACES = "".join(c for c in map(chr, range(0x10000)) if c.isspace())
# Letters of old and settled blocks, where the tables of every library agree.
LETTERS = "abzABZ019_éÉßñÑäΩωжЖあ字ก٣½"
TEXTS = st.lists(st.text(st.sampled_from(LETTERS + SPACES + "!?.,'\"#-$€👍")), max_size=5)


def inputs(split: Split = "whitespace", *, lowercase: bool = False) -> SequenceInputs:
    return SequenceInputs(text="t", split=split, lowercase=lowercase)


@pytest.mark.parametrize(("split", "lowercase"), [*itertools.product(SPLITS, (False, True))])
@settings(max_examples=50)
@given(texts=TEXTS)
def test_texts_are_cut_as_plain_python_cuts_them(
    split: Split, lowercase: bool, texts: list[str]
) -> None:
    how = inputs(split, lowercase=lowercase)
    expected = [sequences.cut(text, how) for text in texts]
    symbols, lengths = cut(texts, how)
    assert symbols == [symbol for row in expected for symbol in row]
    assert lengths.tolist() == [len(row) for row in expected]


def test_white_space_is_what_python_says() -> None:
    every = [chr(c) for c in range(0x12000) if not 0xD800 <= c < 0xE000]
    _, lengths = cut([f"a{c}b" for c in every], inputs())
    assert {c for c, n in zip(every, lengths, strict=True) if n == 2} == {
        c for c in every if c.isspace()
    }


def test_words_keep_their_marks_and_signs_stand_alone() -> None:
    symbols, _ = cut(["Don't re\u0301sume\u0301 हिन्दी snake_case 3.5%"], inputs("words"))
    assert symbols == [
        *("Don", "'", "t", "re\u0301sume\u0301", "हिन्दी", "snake", "_", "case"),
        *("3", ".", "5", "%"),
    ]


@pytest.mark.parametrize("split", SPLITS)
def test_bytes_that_are_no_text_do_no_harm(split: Split) -> None:
    rows = TextSplitter(inputs(split))(tf.constant([b"a\xff", b"", b"b"])).to_list()
    texts = [b"".join(row).decode() for row in rows]
    assert texts == ["a\N{REPLACEMENT CHARACTER}", "", "b"]


@pytest.mark.parametrize("lowercase", [False, True])
def test_ids_count_from_two_and_the_unknown_is_one(lowercase: bool) -> None:
    lookup = SymbolLookup(("b", "ä"), lowercase=lowercase)
    for symbols in (["b", "Ä", "ä", "", "x"], [["b"], ["B"]], []):
        found = lookup(tf.constant(symbols, tf.string))
        known = {"b": 2, "ä": 3}
        flat = np.ravel(np.asarray(symbols, object))
        expected = [known.get(s.lower() if lowercase else s, 1) for s in flat]
        assert found.dtype == tf.int32
        assert found.shape == np.shape(symbols)
        assert np.ravel(found).tolist() == expected


def test_ragged_symbols_stay_ragged() -> None:
    ragged = TextSplitter(inputs())(tf.constant(["A b", "", "c"]))
    assert SymbolLookup(("a", "b"), lowercase=True)(ragged).to_list() == [[2, 3], [], [1]]


def test_symbols_are_folded_as_the_graph_folds_them() -> None:
    symbols = ["A", "É", "İ", "b"]
    assert folded(symbols, inputs()) == symbols
    low = folded(symbols, inputs(lowercase=True))
    assert low == [s.lower() for s in symbols]
    assert folded(low, inputs(lowercase=True)) == low


class Exported(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.split = TextSplitter(inputs("words", lowercase=True))
        self.lookup = SymbolLookup(("good", "!"))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def ids(self, text: Any) -> Any:
        return self.lookup(self.split(text)).to_tensor()


def test_a_saved_model_carries_them(tmp_path: Path) -> None:
    tf.saved_model.save(Exported(), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert loaded.ids(tf.constant(["GOOD!", "bad"])).numpy().tolist() == [[2, 3], [1, 0]]


def test_no_letter_whose_case_depends_on_the_locale_reaches_icu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Those of SpecialCasing.txt under lt, tr and az. Seen in processes of tr_TR and lt_LT too:
    # without this, TITLE is t\u0131tle in a Turkish one.
    seen = []

    def spy(text: Any, encoding: str = "") -> Any:
        if encoding:
            seen.append(text.numpy().decode())
        return real(text, encoding=encoding)

    real = tf.strings.lower
    monkeypatch.setattr(tf.strings, "lower", spy)
    capitals = "TITLE İI\u0307 ÌÍĨĮJ\u0301 À"
    assert lower(tf.constant(capitals)).numpy().decode() == capitals.lower()
    assert len(seen) == 1
    assert not set("IJĮÌÍĨİ") & set(seen[0])
