"""`SequenceView`: some sequences of a store, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.sequences.spec import LENGTH as LENGTH

if TYPE_CHECKING:
    from models.sequences.store import SequenceStore

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SequenceBatch:
    """Sequences padded on the right to the longest of them.

    Attributes:
        numbers: float32 `[batch, time, numbers]`, 0 where padded.
        tokens: By symbol or text column, int32 `[batch, time]`: ids, see
            `SequenceStore.token_ids`; 0 where padded.
        length: int32 `[batch]`.
        labels: int32 `[batch]` for classify, else `[batch, time]`; -1 where padded or unknown.
    """

    numbers: npt.NDArray[np.float32]
    tokens: dict[str, npt.NDArray[np.int32]]
    length: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int32]


@dataclass(frozen=True)
class SequenceView:
    """Sequences of a store by their positions in it.

    Attributes:
        store: Where they are.
        index: int64 `[n]`.
    """

    store: SequenceStore
    index: Ints

    def __len__(self) -> int:
        return len(self.index)

    def take(self, positions: Ints) -> SequenceView:
        """The view of the sequences at `positions` of this one."""
        return SequenceView(self.store, self.index[positions])

    @property
    def steps(self) -> Ints:
        """int64 `[n]`: steps that a model reads of each sequence.

        For next_step one fewer than there are: the last symbol follows, nothing follows it.
        """
        offsets = np.asarray(self.store.offsets)
        whole: Ints = offsets[self.index + 1] - offsets[self.index]
        return whole - (self.store.spec.task == "next_step")

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [self.store.ids[i] for i in self.index]

    @property
    def outcomes(self) -> Ints:
        """int64 `[n]`: labels of each sequence: 1 for classify, else its steps."""
        return np.ones(len(self), np.int64) if self._whole else self.steps

    def labels(self) -> npt.NDArray[np.int32]:
        """int32 `[outcomes.sum()]`: all labels, sequence after sequence; -1 where unknown."""
        if self._whole:
            return np.asarray(self.store.labels)[self.index]
        rows = self._rows(self.steps)
        shift = 1 if self.store.spec.task == "next_step" else 0
        if shift:
            column = self.store.spec.inputs.tokens[0]
            ids = self.store.token_ids(column)[np.asarray(self.store.codes[column])[rows + 1]]
            return np.asarray(ids - 1, np.int32)  # class 0 is the unknown symbol, id 1
        return np.asarray(self.store.labels)[rows]

    def numbers(self) -> npt.NDArray[np.float32]:
        """float32 `[steps.sum(), numbers]`: all rows, sequence after sequence."""
        return np.asarray(self.store.numbers)[self._rows(self.steps)]

    def token_ids(self, column: str) -> npt.NDArray[np.int32]:
        """int32 `[steps.sum()]`: ids of all symbols, sequence after sequence."""
        codes = np.asarray(self.store.codes[column])[self._rows(self.steps)]
        return self.store.token_ids(column)[codes]

    def batch(self) -> SequenceBatch:
        """All of them, padded; take the view of one batch first."""
        steps = self.steps
        inside = np.arange(steps.max(initial=0)) < steps[:, None]
        store = self.store
        numbers = np.zeros((*inside.shape, store.numbers.shape[1]), np.float32)
        numbers[inside] = self.numbers()
        tokens = {}
        for column in store.spec.inputs.tokens:
            tokens[column] = np.zeros(inside.shape, np.int32)
            tokens[column][inside] = self.token_ids(column)
        labels = self.labels()
        if not self._whole:
            padded = np.full(inside.shape, -1, np.int32)
            padded[inside] = labels
            labels = padded
        return SequenceBatch(numbers, tokens, steps.astype(np.int32), labels)

    def feed(self) -> dict[str, npt.NDArray[Any]]:
        """All of them as the raw inputs of an exported model, by column; take a batch first.

        Numbers are float32 `[n, time]` by column, symbols are str objects `[n, time]`, both
        padded on the right, beside `length`, int32 `[n]`; a text is str objects `[n]`, alone.
        A text of next_step is whole: its last symbol is read too.
        """
        store, spec = self.store, self.store.spec
        if spec.inputs.text is not None:
            texts = np.asarray([store.texts[i] for i in self.index], object)
            return {spec.inputs.text: texts}
        steps = self.steps
        inside = np.arange(steps.max(initial=0)) < steps[:, None]
        rows = self._rows(steps)
        feed: dict[str, npt.NDArray[Any]] = {}
        for i, column in enumerate(spec.inputs.numbers):
            feed[column] = np.zeros(inside.shape, np.float32)
            feed[column][inside] = np.asarray(store.numbers)[rows, i]
        for column in spec.inputs.symbols:
            feed[column] = np.full(inside.shape, "", object)
            names = np.asarray(store.symbols[column], object)
            feed[column][inside] = names[np.asarray(store.codes[column])[rows]]
        feed[LENGTH] = steps.astype(np.int32)
        return feed

    def parts(self, size: int) -> Iterator[SequenceView]:
        """Views of at most `size` sequences each, in order."""
        for start in range(0, len(self), size):
            yield SequenceView(self.store, self.index[start : start + size])

    @property
    def _whole(self) -> bool:
        return self.store.spec.task == "classify"

    def _rows(self, steps: Ints) -> Ints:
        """Rows of the first `steps` steps of each sequence."""
        starts = np.asarray(self.store.offsets)[self.index]
        ends = np.cumsum(steps)
        total = ends[-1] if len(ends) else 0
        rows: Ints = np.arange(total) + np.repeat(starts - ends + steps, steps)
        return rows
