"""The judge against networks whose worth is known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from examples.grammars.judge import judge
from examples.grammars.reber import EMBEDDED_REBER

SYMBOLS = ("[UNK]", *EMBEDDED_REBER.symbols)
RNG = np.random.default_rng(5)
STRINGS = [EMBEDDED_REBER.draw(RNG) for _ in range(200)]
STEPS = sum(len(s) - 1 for s in STRINGS)


def ideal(string: str) -> npt.NDArray[Any]:
    """What a network that knows the grammar gives: legal symbols alike, nothing else."""
    rows = np.zeros((len(string) - 1, len(SYMBOLS)))
    for row, position in zip(rows, range(1, len(string)), strict=True):
        legal = EMBEDDED_REBER.legal(string[:position])
        row[[SYMBOLS.index(s) for s in legal]] = 1 / len(legal)
    return rows


def test_who_knows_the_grammar_is_perfect() -> None:
    found = judge(EMBEDDED_REBER, STRINGS, map(ideal, STRINGS), SYMBOLS)
    assert (found.strings, found.steps) == (200, STEPS)
    assert found.legal == found.complete == STEPS
    assert found.remembered == found.perfect == 200
    assert found.illegal_mass == 0


def test_who_forgets_the_second_symbol_fails_at_one_step_of_some_strings_only() -> None:
    def forgetful(string: str) -> npt.NDArray[Any]:
        rows = ideal(string)
        rows[len(string) - 3] = 0
        rows[len(string) - 3, [SYMBOLS.index("T"), SYMBOLS.index("P")]] = 0.6, 0.4
        return rows

    found = judge(EMBEDDED_REBER, STRINGS, map(forgetful, STRINGS), SYMBOLS)
    with_t = sum(s[1] == "T" for s in STRINGS)
    assert found.remembered == found.perfect == with_t
    assert found.legal == found.complete == STEPS - (200 - with_t)
    assert found.illegal_mass * STEPS == pytest.approx(0.4 * with_t + 0.6 * (200 - with_t))


def test_one_legal_symbol_first_is_legal_but_not_complete() -> None:
    def narrow(string: str) -> npt.NDArray[Any]:
        rows = ideal(string)
        only = rows.argmax(axis=1)
        rows[:] = 0.1
        rows[np.arange(len(rows)), only] = 0.9
        return rows

    found = judge(EMBEDDED_REBER, STRINGS, map(narrow, STRINGS), SYMBOLS)
    single = sum(
        len(EMBEDDED_REBER.legal(s[:position])) == 1
        for s in STRINGS
        for position in range(1, len(s))
    )
    assert found.legal == STEPS
    assert found.complete == single
    assert found.perfect == 0


def test_who_guesses_blindly_is_legal_about_as_often_as_chance_says() -> None:
    rng = np.random.default_rng(6)
    guesses = [rng.random((len(s) - 1, len(SYMBOLS))) for s in STRINGS]
    found = judge(EMBEDDED_REBER, STRINGS, guesses, SYMBOLS)
    expected = np.mean([(ideal(s) > 0).mean(axis=1).sum() for s in STRINGS]) * 200
    assert found.legal == pytest.approx(expected, rel=0.1)


def test_strings_and_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="'BTE' is not a string of the grammar"):
        judge(EMBEDDED_REBER, ["BTE"], [np.zeros((2, 8))], SYMBOLS)
    with pytest.raises(ValueError, match=r"shape \(2, 8\), expected"):
        judge(EMBEDDED_REBER, STRINGS[:1], [np.zeros((2, 8))], SYMBOLS)
