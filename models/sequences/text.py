"""The one definition of cutting a text into symbols and of looking symbols up, inside a graph.

Training data is cut by the same operations that an exported model runs: there is no second
definition that could differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.sequences.spec import SequenceInputs

UNKNOWN_ID = 1
"""What `SymbolLookup` gives a symbol that is not in the vocabulary; 0 is padding."""
FIRST_ID = 2
"""The id of the first symbol of a vocabulary."""

# White space as str.split has it, and Unicode.
_SPACES = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+"
# Marks go with the letters they stand on: without them words of many scripts would fall apart.
_OTHER = r"([^\p{L}\p{N}\p{M} ])"
# Lower case of these is another in a Turkish or Lithuanian locale, which no model should depend
# on: https://www.unicode.org/Public/UCD/latest/ucd/SpecialCasing.txt
_BY_LOCALE = (("İ", "i\u0307"), ("Ì", "ì"), ("Í", "í"), ("Ĩ", "ĩ"), ("Į", "į"))
_BATCH = 4096


class TextSplitter(tf.Module):
    """Cuts texts, string `[batch]`, into symbols, a ragged string `[batch, symbols]`.

    Bytes that are no UTF-8 become U+FFFD. A text without symbols gives an empty row.
    """

    def __init__(self, inputs: SequenceInputs) -> None:
        super().__init__(name="text_splitter")
        self._split = inputs.split
        self._lowercase = inputs.lowercase

    def __call__(self, text: Any) -> tf.RaggedTensor:
        """The symbols of each text."""
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
        if self._lowercase:
            text = lower(text)
        if self._split == "characters":
            return tf.strings.unicode_split(text, "UTF-8")
        text = tf.strings.regex_replace(text, _SPACES, " ")
        if self._split == "words":
            text = tf.strings.regex_replace(text, _OTHER, r" \1 ")
        return tf.strings.split(text)


class SymbolLookup(tf.Module):
    """Ids of symbols, strings of any shape to int32 of that shape: 1 for one that is unknown.

    The vocabulary's first symbol has the id 2. Padding is the caller's business: "" is unknown
    like any other symbol.
    """

    def __init__(self, vocabulary: Sequence[str], *, lowercase: bool = False) -> None:
        """A table of `vocabulary`, which must not be empty and hold no symbol twice.

        Args:
            vocabulary: Known symbols, in lower case with `lowercase`.
            lowercase: Whether symbols are turned into lower case first, as a `TextSplitter`
                has done already.
        """
        super().__init__(name="symbol_lookup")
        self._lowercase = lowercase
        keys = tf.constant(list(vocabulary), tf.string)
        values = tf.range(FIRST_ID, FIRST_ID + len(vocabulary), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, values), UNKNOWN_ID
        )

    def __call__(self, symbols: Any) -> Any:
        """The id of each symbol; ragged where `symbols` are."""
        if self._lowercase:
            symbols = tf.ragged.map_flat_values(lower, symbols)
        return self.table.lookup(symbols)


def lower(text: Any) -> tf.Tensor:
    """Strings in lower case, the same in every locale."""
    text = tf.strings.lower(text)  # ASCII alone
    for upper, small in _BY_LOCALE:
        text = tf.strings.regex_replace(text, upper, small)
    return tf.strings.lower(text, encoding="utf-8")


def cut(texts: Sequence[str], inputs: SequenceInputs) -> tuple[list[str], npt.NDArray[np.int64]]:
    """All symbols of all texts, end to end, and how many each text has, int64 `[texts]`."""
    splitter = TextSplitter(inputs)
    symbols: list[str] = []
    lengths = [np.zeros(0, np.int64)]
    with tf.device("CPU"):
        for start in range(0, len(texts), _BATCH):
            ragged = splitter(tf.constant(list(texts[start : start + _BATCH]), tf.string))
            symbols += [symbol.decode() for symbol in ragged.flat_values.numpy()]
            lengths.append(ragged.row_lengths().numpy())
    return symbols, np.concatenate(lengths)


def folded(symbols: Sequence[str], inputs: SequenceInputs) -> list[str]:
    """Symbols of a symbol column as a model sees them: in lower case where `inputs` says so."""
    if not inputs.lowercase:
        return list(symbols)
    with tf.device("CPU"):
        return [s.decode() for s in lower(tf.constant(list(symbols), tf.string)).numpy()]
