"""`SequenceReader`: the raw inputs of an exported model as what a core takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from models.sequences.export.metadata import input_tensors
from models.sequences.spec import SequenceInputs, SequenceSpec
from models.sequences.text import UNKNOWN_ID, SymbolLookup, TextSplitter
from models.sequences.view import LENGTH

Tensor = Any


class CoreInputs(NamedTuple):
    """The arguments of a `SequenceCore`, see there; padding is 0 throughout."""

    numbers: Tensor
    tokens: tuple[Tensor, ...]
    length: Tensor


class SequenceReader(tf.Module):
    """Cuts, looks up and pads, in the graph; owns the tables of the vocabularies.

    Args:
        spec: Task and columns.
        vocabularies: By symbol or text column, the symbols that have ids from 2 on.
    """

    def __init__(self, spec: SequenceSpec, vocabularies: Mapping[str, Sequence[str]]) -> None:
        super().__init__(name="reader")
        self._inputs: SequenceInputs = spec.inputs
        self._tensors = input_tensors(spec)
        self._splitter = TextSplitter(spec.inputs)
        # In lower case once: a text is when it is cut.
        self._lookups = [
            SymbolLookup(
                vocabularies[c], lowercase=spec.inputs.lowercase and c in spec.inputs.symbols
            )
            for c in spec.inputs.tokens
        ]

    def __call__(self, tensors: Mapping[str, Tensor]) -> CoreInputs:
        """Reads the inputs of `serving_default`, by the names of their tensors.

        Raises:
            InvalidArgumentError: When it runs, if a length is not from 1 to `time`, or columns
                differ in their shapes.
        """
        if self._inputs.text is not None:
            return self._text(tensors[self._tensor(self._inputs.text)])
        length = tensors[LENGTH]
        columns = [tensors[self._tensor(c)] for c in self._inputs.columns]
        shape = tf.shape(columns[0])
        checks = [
            _asserted(
                tf.reduce_all(tf.equal(tf.shape(column), shape)),
                ["columns of a sequence must have one shape, got", shape, tf.shape(column)],
            )
            for column in columns[1:]
        ]
        checks += [
            _asserted(
                tf.equal(tf.shape(length)[0], shape[0]),
                ["length must have a value for each sequence, got", tf.shape(length), shape],
            ),
            _asserted(
                tf.reduce_all((length >= 1) & (length <= shape[1])),
                ["length must be from 1 to the number of steps", shape[1], ", got", length],
            ),
        ]
        with tf.control_dependencies([check for check in checks if check is not None]):
            inside = tf.sequence_mask(length, shape[1])
        # What is behind the length may be anything, also nan.
        numbers = [tf.where(inside, tensors[self._tensor(c)], 0.0) for c in self._inputs.numbers]
        tokens = tuple(
            tf.where(inside, lookup(tensors[self._tensor(c)]), 0)
            for c, lookup in zip(self._inputs.symbols, self._lookups, strict=True)
        )
        return CoreInputs(_stacked(numbers, tf.shape(inside)), tokens, length)

    def examples(self, examples: Tensor) -> CoreInputs:
        """Reads serialized tf.Examples; the length of a sequence is that of its lists.

        Raises:
            InvalidArgumentError: When it runs, if a sequence has no steps, or the lists of an
                example differ in length.
        """
        if self._inputs.text is not None:
            name = self._tensor(self._inputs.text)
            features = {name: tf.io.FixedLenFeature((), tf.string)}
            return self._text(tf.io.parse_example(examples, features)[name])
        features = {
            self._tensor(column): tf.io.RaggedFeature(
                tf.float32 if column in self._inputs.numbers else tf.string,
                row_splits_dtype=tf.int32,
            )
            for column in self._inputs.columns
        }
        lists = tf.io.parse_example(examples, features)
        lengths = [value.row_lengths() for value in lists.values()]
        checks = [
            _asserted(
                tf.reduce_all(tf.equal(length, lengths[0])),
                ["the lists of an example must have one length, got", lengths[0], length],
            )
            for length in lengths[1:]
        ]
        with tf.control_dependencies([check for check in checks if check is not None]):
            padded = {name: value.to_tensor() for name, value in lists.items()}
        return self({**padded, LENGTH: lengths[0]})

    def step(self, tensors: Mapping[str, Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Numbers `[batch, numbers]` and ids `[batch]` of one step, for a `CoreStepper`."""
        numbers = [tensors[self._tensor(c)] for c in self._inputs.numbers]
        tokens = [tensors[self._tensor(c)] for c in self._inputs.tokens]
        rows = tf.shape((numbers + tokens)[0])
        ids = tuple(look(value) for look, value in zip(self._lookups, tokens, strict=True))
        return _stacked(numbers, rows), ids

    def _text(self, text: Tensor) -> CoreInputs:
        (lookup,) = self._lookups
        ids = lookup(self._splitter(text))
        rows = tf.shape(text)[0]
        # A text of no symbols is one symbol that nobody knows: it gets an answer too.
        empty = tf.equal(ids.row_lengths(), 0)
        stand_in = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.math.count_nonzero(empty, dtype=tf.int32)], UNKNOWN_ID),
            tf.cast(empty, tf.int64),
        )
        ids = tf.concat([ids, stand_in], axis=1)
        length = tf.cast(ids.row_lengths(), tf.int32)
        tokens = ids.to_tensor(0)
        return CoreInputs(tf.zeros([rows, tf.shape(tokens)[1], 0]), (tokens,), length)

    def _tensor(self, column: str) -> str:
        return self._tensors[column][0] if column in self._tensors else column


def _stacked(numbers: list[Tensor], shape: Tensor) -> Tensor:
    """Columns of one shape side by side; with none, an empty last axis."""
    if numbers:
        return tf.stack(numbers, axis=-1)
    return tf.zeros(tf.concat([shape, [0]], axis=0), tf.float32)


def _asserted(good: Tensor, message: list[Any]) -> Any:
    return tf.debugging.Assert(good, message, summarize=8)
