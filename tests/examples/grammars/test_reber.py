"""The grammars against their languages written out as regular expressions."""

from __future__ import annotations

import itertools
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.grammars.machine import Machine
from examples.grammars.reber import EMBEDDED_REBER, LONG_RANGE, REBER

INNER = r"B(?:TS*X(?:XT*VP)*(?:S|XT*VV)|PT*V(?:V|P(?:XT*VP)*(?:S|XT*VV)))E"
PATTERNS = {
    "reber": (REBER, re.compile(INNER)),
    "embedded": (EMBEDDED_REBER, re.compile(f"B(?:T{INNER}T|P{INNER}P)E")),
}
LONGEST, REST = 9, 4
"""Letters of the longest string enumerated; letters that complete any beginning of one."""


@cache
def reber_strings() -> tuple[str, ...]:
    """Every string of at most `LONGEST` letters that the regular expression knows."""
    pattern = PATTERNS["reber"][1]
    middles = (m for n in range(1, LONGEST - 1) for m in itertools.product("PSTVX", repeat=n))
    return tuple(word for m in middles if pattern.fullmatch(word := f"B{''.join(m)}E"))


@cache
def language(name: str) -> tuple[str, ...]:
    if name == "reber":
        return reber_strings()
    return tuple(f"B{mark}{word}{mark}E" for mark in "TP" for word in reber_strings())


@pytest.mark.parametrize("name", PATTERNS)
def test_the_judge_accepts_what_was_drawn_and_so_does_the_regular_expression(name: str) -> None:
    machine, pattern = PATTERNS[name]
    rng = np.random.default_rng(0)
    for string in (machine.draw(rng) for _ in range(500)):
        assert machine.accepts(string), string
        assert pattern.fullmatch(string), string


@pytest.mark.parametrize("name", PATTERNS)
def test_what_may_follow_is_what_follows_in_the_enumerated_language(name: str) -> None:
    machine, _ = PATTERNS[name]
    following: dict[str, set[str]] = {}
    longest = max(map(len, language(name)))
    for word in language(name):
        assert machine.accepts(word), word
        for end in range(len(word) + 1):
            following.setdefault(word[:end], set()).update(word[end : end + 1])
    # A longer beginning may have a completion that is too long to be enumerated.
    outer = 2 if name == "embedded" else 0
    checked = 0
    for prefix, symbols in following.items():
        if len(prefix) + REST + outer <= longest or prefix in language(name):
            assert machine.legal(prefix) == symbols, prefix
            checked += 1
    assert checked > 50


@pytest.mark.parametrize("name", PATTERNS)
@settings(max_examples=100)
@given(data=st.data())
def test_a_changed_string_is_accepted_only_if_it_is_another_of_the_language(
    name: str, data: st.DataObject
) -> None:
    machine, pattern = PATTERNS[name]
    seed = data.draw(st.integers(0, 10_000))
    string = machine.draw(np.random.default_rng(seed))
    at = data.draw(st.integers(0, len(string) - 1))
    letter = data.draw(st.sampled_from([s for s in machine.symbols if s != string[at]]))
    for changed in (string[:at] + letter + string[at + 1 :], string[:at] + string[at + 1 :]):
        assert machine.accepts(changed) == bool(pattern.fullmatch(changed)), changed


@pytest.mark.parametrize("name", PATTERNS)
def test_most_changed_strings_are_rejected(name: str) -> None:
    machine, _ = PATTERNS[name]
    rng = np.random.default_rng(1)
    accepted = changed = 0
    for _ in range(100):
        string = machine.draw(rng)
        for at, letter in itertools.product(range(len(string)), machine.symbols):
            if letter != string[at]:
                changed += 1
                accepted += machine.accepts(string[:at] + letter + string[at + 1 :])
    assert accepted / changed < 0.02


def test_the_symbol_to_remember_is_the_second_one_and_nothing_else_may_stand_there() -> None:
    rng = np.random.default_rng(2)
    for _ in range(500):
        string = EMBEDDED_REBER.draw(rng)
        assert string[LONG_RANGE] == string[1]
        assert EMBEDDED_REBER.legal(string[:LONG_RANGE]) == {string[1]}
        other = "P" if string[1] == "T" else "T"
        assert not EMBEDDED_REBER.accepts(string[:LONG_RANGE] + other + "E")


def test_both_ways_out_of_a_state_are_drawn_equally_often() -> None:
    rng = np.random.default_rng(3)
    strings = [REBER.draw(rng) for _ in range(4000)]
    assert np.mean([s[1] == "T" for s in strings]) == pytest.approx(0.5, abs=0.03)
    # Every string has the probability 2 to the minus number of choices on its way.
    assert np.mean([s == "BPVVE" for s in strings]) == pytest.approx(1 / 8, abs=0.02)
    assert np.mean([s == "BTXSE" for s in strings]) == pytest.approx(1 / 8, abs=0.02)


@pytest.mark.parametrize("word", ["BTSSXXTVVE", "BPVPXVPXVPXVVE", "BTSXXVPSE", "BPTVPSE"])
def test_strings_of_the_literature_are_accepted(word: str) -> None:
    assert REBER.accepts(word)
    assert [sorted(s) for s in REBER.legal_steps("BTX")] == [["P", "T"], ["S", "X"], ["S", "X"]]


def test_a_beginning_that_breaks_the_grammar_is_named() -> None:
    with pytest.raises(ValueError, match="'BTV' is not the beginning"):
        REBER.legal("BTV")
    with pytest.raises(ValueError, match=r"position 2: got 'V', expected one of \['S', 'X'\]"):
        list(REBER.legal_steps("BTV"))
    assert not REBER.accepts("BT")
    assert not REBER.accepts("BTXSEE")


def test_a_small_language_says_how_many_strings_it_has() -> None:
    three = Machine(({"a": 1, "b": 1, "c": 1}, {}), end=1)
    assert sorted(three.distinct(3, np.random.default_rng(0))) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="asked for 4 different strings, found 3"):
        three.distinct(4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="no arrow may leave"):
        Machine(({"a": 0},), end=0)
