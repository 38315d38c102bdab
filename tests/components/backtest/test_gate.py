from __future__ import annotations

import math

import pytest

from components.backtest.config import GateConfig
from components.backtest.gate import Rival
from components.backtest.verdict import conclude

NAN, INF = math.nan, math.inf


def verdict(candidate, values, *, p=0.01, notes=(), **gate):
    names = ["ar", "seasonal_naive", "the champion (version 3)"]
    rivals = [Rival(n, candidate, v, p) for n, v in zip(names, values, strict=False)]
    rule = GateConfig(**gate)
    return conclude(rule, "model", candidate, rivals, [], None, size=100, notes=notes)[0]


@pytest.mark.parametrize(
    ("candidate", "values", "margin", "blessed"),
    [
        (0.30, [0.31, 0.40], 0.0, True),
        (0.30, [0.30, 0.40], 0.0, False),
        (0.30, [0.29, 0.40], 0.0, False),
        (0.30, [0.40, 0.29], 0.0, False),
        (0.30, [0.31, 0.40, 0.29], 0.0, False),
        (0.30, [0.31, 0.40, 0.31], 0.0, True),
        (0.30, [0.31, 0.40], 0.05, False),
        (0.29, [0.31, 0.40], 0.05, True),
        (0.45, [0.50], 0.1, False),
        (0.0, [0.0], 0.0, False),
        (0.0, [0.1], 0.99, True),
        (NAN, [0.31], 0.0, False),
        (INF, [0.31], 0.0, False),
        (0.30, [NAN], 0.0, False),
        (0.30, [INF], 0.0, False),
        (NAN, [], 0.0, False),
        (0.30, [], 0.0, True),
    ],
)
def test_truth_table(candidate, values, margin, blessed):
    found = verdict(candidate, values, margin=margin)
    assert found.blessed is blessed
    assert found.summary.startswith("Blessed: " if blessed else "Not blessed: ")
    assert found.summary.endswith(".")


@pytest.mark.parametrize(
    ("p", "level", "blessed"),
    [(0.01, 0.05, True), (0.05, 0.05, False), (0.2, 0.05, False), (NAN, 0.05, False),
     (NAN, None, True), (0.9, None, True)],
)  # fmt: skip
def test_significance_is_required_only_where_asked_for(p, level, blessed):
    assert verdict(0.3, [0.31], p=p, significance=level).blessed is blessed


def test_reasons_are_sentences_with_numbers():
    found = verdict(0.31, [0.29, 0.4])
    assert found.reasons == (
        "mae 0.31 is not below ar 0.29",
        "mae 0.31 is below seasonal_naive 0.4",
    )
    assert found.summary == "Not blessed: mae 0.31 is not below ar 0.29."
    found = verdict(0.25, [0.29, 0.4], metric="mse", margin=0.025)
    assert found.summary == (
        "Blessed: mse 0.25 beats ar 0.29 and seasonal_naive 0.4 on 100 test windows."
    )
    assert "(margin 2.5%)" in found.reasons[0]


def test_ties_and_near_ties_read_right():
    assert "a tie is not a win" in verdict(0.3, [0.3]).reasons[0]
    close = verdict(0.30000001, [0.3]).reasons[0]
    assert close == "mae 0.30000001 is not below ar 0.3"


def test_reasons_for_what_cannot_be_compared():
    assert "ar has no finite mase" in verdict(1.0, [NAN], metric="mase").reasons[0]
    assert "not a number" in verdict(NAN, [1.0]).reasons[0]
    assert "infinite" in verdict(INF, [1.0]).reasons[0]
    text = verdict(0.3, [0.31], p=0.2, significance=0.05).reasons[0]
    assert text.endswith("but not significantly: p 0.2 is not below 0.05")
    assert "too few windows" in verdict(0.3, [0.31], p=NAN, significance=0.05).reasons[0]


def test_notes_neither_bless_nor_block():
    note = "the candidate is the champion already (version 3)"
    for values, blessed in (([0.4], True), ([0.2], False)):
        found = verdict(0.3, values, notes=[note])
        assert found.blessed is blessed
        assert found.reasons[-1] == note
        assert found.summary.endswith(f"; {note}.")


def test_nothing_to_beat_is_said():
    found = verdict(0.3, [])
    assert "nothing to beat" in found.summary
