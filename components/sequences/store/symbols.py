"""`Symbols`: the symbols of one column over all splits, as indices, and which a model knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.errors import BadInputError
from models.sequences.spec import UNKNOWN, SequenceInputs
from models.windows.store import SPLITS

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Symbols:
    """Symbols of the steps of all sequences.

    Attributes:
        column: The column.
        names: Distinct symbols, in the order in which they come.
        codes: int32 `[rows]`, index into `names`.
        rows: By split, how many of the rows are its own.
    """

    column: str
    names: tuple[str, ...]
    codes: npt.NDArray[np.int32]
    rows: Mapping[str, int]

    def take(
        self, kept: Mapping[str, npt.NDArray[np.bool_]], lengths: Mapping[str, Ints]
    ) -> Symbols:
        """Those of some sequences.

        Args:
            kept: By split, bool `[sequences]`.
            lengths: By split, int64 `[sequences]`.
        """
        keep = [np.repeat(kept[split], lengths[split]) for split in SPLITS]
        codes = self.codes[np.concatenate(keep)]
        used, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(used), np.int32)
        place[order] = np.arange(len(used))
        rows = {split: int(k.sum()) for split, k in zip(SPLITS, keep, strict=True)}
        names = tuple(self.names[i] for i in used[order])
        return Symbols(self.column, names, place[inverse], rows)

    def vocabulary(self, inputs: SequenceInputs) -> tuple[str, ...]:
        """The symbols of the train split that models know, the frequent first.

        `UNKNOWN` itself is never among them: it stands for what is not known in the data too.

        Raises:
            BadInputError: If there are none.
        """
        train = self.codes[: self.rows["train"]]
        counts = np.bincount(train, minlength=len(self.names)).tolist()
        known = [
            (-count, name)
            for name, count in zip(self.names, counts, strict=True)
            if count >= inputs.min_count and name != UNKNOWN
        ]
        if not known:
            raise BadInputError(
                f"column {self.column!r}: no symbol is in the train split {inputs.min_count} times "
                f"or more, the most frequent {max(counts)} times; make inputs.min_count smaller"
            )
        return tuple(name for _, name in sorted(known)[: inputs.vocabulary])


def symbols_of(column: str, splits: Sequence[pa.Array], inputs: SequenceInputs) -> Symbols:
    """The symbols of a symbol column, one array per split."""
    encoded = pa.concat_arrays(splits).dictionary_encode()
    names = encoded.dictionary.to_pylist()
    if inputs.lowercase:
        # Not above: it takes TensorFlow, which `elman check` can often do without.
        from models.sequences.text import folded

        names = folded(names, inputs)
    # Folding makes some of them equal.
    distinct = {name: i for i, name in enumerate(dict.fromkeys(names))}
    place = np.asarray([distinct[name] for name in names], np.int32)
    codes = place[encoded.indices.to_numpy(zero_copy_only=False)]
    rows = dict(zip(SPLITS, map(len, splits), strict=True))
    return Symbols(column, tuple(distinct), codes, rows)


def symbols_of_texts(
    column: str, splits: Sequence[pa.Array], inputs: SequenceInputs
) -> tuple[Symbols, list[Ints]]:
    """The symbols that the texts of a column are cut into, and by split how many each text has.

    Raises:
        BadInputError: If a text has no symbol.
    """
    from models.sequences.text import cut

    pieces, lengths = [], []
    for split, texts in zip(SPLITS, splits, strict=True):
        listed = texts.to_pylist()
        symbols, sizes = cut(listed, inputs)
        if not sizes.all():
            empty = listed[int(np.argmin(sizes))]
            raise BadInputError(
                f"column {column!r}: the text {empty!r} of the {split} split has no symbol; "
                "remove it"
            )
        pieces.append(pa.array(symbols, pa.string()))
        lengths.append(sizes)
    # They are in lower case already where they should be.
    as_they_are = inputs.model_copy(update={"lowercase": False})
    return symbols_of(column, pieces, as_they_are), lengths
