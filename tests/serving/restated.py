"""`restated`: cases of TF Serving's own tests beside cases of ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def restated(source: str, cases: Iterable[Any]) -> list[Any]:
    """`cases` as parameters of a test.

    Args:
        source: The file of TF Serving that the cases restate.
        cases: Each with an `id`. Those with the name of one of its tests, which begins with a
            capital letter, count as restated; the others are ours.
    """
    mark = pytest.mark.contract(source)
    return [
        pytest.param(case, id=case.id, marks=[mark] if case.id[0].isupper() else [])
        for case in cases
    ]
