"""Names of tensors in a SavedModel for columns that may be called anything. Needs no TensorFlow.

A SavedModel signature carries its inputs by argument names: letters, digits and underscores,
first a letter. The rule, which depends on the column alone:

1. a name that already is such an identifier is kept;
2. otherwise accents are removed, every run of other characters becomes one underscore, and
   underscores at both ends go: `#Passengers` is `Passengers`, `CO2 (ppm)` is `CO2_ppm`;
3. what then starts with a digit gets `column_` in front: `1st` is `column_1st`;
4. where nothing is left, the name is `column_` and 8 digits of the SHA-256 of the column.

Two columns that come out the same, upper and lower case apart, are refused: TensorFlow tells
graph nodes apart without case.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from models.errors import BadInputError

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def signature_name(column: str) -> str:
    """The tensor name of one column, by the rule above."""
    if _IDENTIFIER.fullmatch(column):
        return column
    letters = "".join(
        c for c in unicodedata.normalize("NFKD", column) if not unicodedata.combining(c)
    )
    name = re.sub(r"[^A-Za-z0-9]+", "_", letters).strip("_")
    if not name:
        return "column_" + hashlib.sha256(column.encode()).hexdigest()[:8]
    return name if name[0].isalpha() else f"column_{name}"


def signature_names(columns: Iterable[str]) -> dict[str, str]:
    """Tensor names of all `columns`, in their order.

    Raises:
        BadInputError: If two different columns get the same name, upper and lower case apart.
    """
    names: dict[str, str] = {}
    owner: dict[str, str] = {}
    for column in columns:
        name = signature_name(column)
        other = owner.setdefault(name.casefold(), column)
        if other != column:
            raise BadInputError(
                f"the columns {other!r} and {column!r} would both be the tensor {name!r} of the "
                "exported model; tensor names keep only letters, digits and underscores and "
                "ignore case. Rename one of the columns"
            )
        names[column] = name
    return names
