from __future__ import annotations

from pathlib import Path

import pytest

from components.backtest import winner
from components.backtest.winner import (
    CANDIDATE,
    Contender,
    Standing,
    apart,
    better,
    choose,
    place_winner,
)
from models.errors import FailedRunError

FOLDER = Path("somewhere")
NAN, INF = float("nan"), float("inf")


def servable(name, value, **more):
    return Contender(name, value, FOLDER, **more)


def test_a_candidate_that_has_passed_is_blessed_whatever_else_there_is():
    for bless in ("best", "model"):
        found = choose(True, [servable("ar", 0.1)], None, metric="mae", bless=bless)
        assert found.name == CANDIDATE
        assert found.reasons == ()


def test_only_the_network_can_be_blessed_where_that_is_asked_for():
    assert choose(False, [servable("ar", 0.1)], None, metric="mae", bless="model").name is None


@pytest.mark.parametrize(("higher", "name"), [(False, "b"), (True, "c")])
def test_the_best_baseline_takes_the_place_of_a_refused_network(higher, name):
    contenders = [servable("a", 0.3), servable("b", 0.2), servable("c", 0.4), servable("n", NAN)]
    found = choose(False, contenders, None, metric="mae", higher=higher)
    assert found.name == name
    assert f"the baseline {name} is blessed in its place: mae 0." in found.reasons[0]


def test_a_baseline_that_cannot_be_served_is_passed_over_and_named():
    contenders = [Contender("seasonal_naive", 0.1, None, "it reads too far"), servable("ar", 0.2)]
    found = choose(False, contenders, None, metric="mae")
    assert found.name == "ar"
    assert found.reasons[1] == (
        "the baseline seasonal_naive (mae 0.1) cannot be blessed: it reads too far"
    )
    alone = choose(False, contenders[:1], None, metric="mae")
    assert alone.name is None
    assert alone.reasons[0] == "no baseline can be blessed in its place"
    assert "it reads too far" in alone.reasons[1]
    # One that is worse than what is blessed stands in nobody's way.
    worse = [servable("ar", 0.2), Contender("naive", 0.5, None, "broken")]
    assert len(choose(False, worse, None, metric="mae").reasons) == 1


def test_a_baseline_that_the_network_beats_never_takes_its_place():
    contenders = [Contender("seasonal_naive", 0.1, None, "no"), servable("ar", 0.5, beaten=True)]
    assert choose(False, contenders, None, metric="mae").name is None


@pytest.mark.parametrize(
    ("champion", "margin", "blessed"),
    [(0.3, 0.0, True), (0.2, 0.0, False), (0.1, 0.0, False), (0.21, 0.1, False), (NAN, 0.0, False)],
)
def test_the_champion_has_to_be_beaten_too(champion, margin, blessed):
    standing = Standing("the champion (version 3)", champion, {"ar": 0.2})
    # Of all windows it is 0.9: what counts is the windows of the comparison.
    found = choose(False, [servable("ar", 0.9)], standing, metric="mae", margin=margin)
    assert (found.name == "ar") is blessed
    assert "the champion (version 3)" in found.reasons[0]
    assert ("a tie is not a win" in found.reasons[0]) is (champion == 0.2)
    assert ("(margin 10%)" in found.reasons[0]) is (margin > 0)


def test_the_champion_stays_blessed_where_it_is_the_best_baseline():
    standing = Standing("the champion (version 3)", 0.2, {"ar": 0.2}, same_as="ar")
    found = choose(False, [servable("ar", 0.2)], standing, metric="mae")
    assert found.name == "ar"
    assert "it is the champion (version 3) already" in found.reasons[0]
    # Not where another baseline is better and does not beat it by the margin.
    others = [servable("ar", 0.2), servable("naive", 0.199)]
    standing = Standing("the champion (version 3)", 0.2, {"naive": 0.199}, same_as="ar")
    assert choose(False, others, standing, metric="mae", margin=0.1).name is None


def test_a_doubt_counts_only_against_a_win():
    standing = Standing("the champion", 0.3, doubts={"ar": "but not significantly"})
    found = choose(False, [servable("ar", 0.2)], standing, metric="mae")
    assert found.name is None
    assert found.reasons[0].endswith("mae 0.2 is below the champion 0.3, but not significantly")


@pytest.mark.parametrize(
    ("mine", "other", "margin", "higher", "won"),
    [
        (0.2, 0.3, 0.0, False, True),
        (0.3, 0.3, 0.0, False, False),
        (0.3, 0.3, 0.0, True, False),
        (0.31, 0.3, 0.0, True, True),
        (0.27, 0.3, 0.1, False, False),
        (0.26, 0.3, 0.1, False, True),
        (0.36, 0.3, 0.1, True, False),
        (0.38, 0.3, 0.1, True, True),
        (NAN, 0.3, 0.0, False, False),
        (0.2, INF, 0.0, False, False),
        (INF, 0.2, 0.0, True, False),
    ],
)
def test_better(mine, other, margin, higher, won):
    assert better(mine, other, margin=margin, higher=higher) is won


def test_numbers_that_differ_read_differently():
    assert apart(0.25, 0.25) == ("0.25", "0.25")
    assert apart(0.30000001, 0.3) == ("0.30000001", "0.3")


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("links", [True, False])
def test_a_winner_is_the_whole_model_folder(tmp_path, monkeypatch, links):
    source = tmp_path / "model"
    (source / "Format-Serving" / "variables").mkdir(parents=True)
    (source / "Format-Serving" / "saved_model.pb").write_bytes(b"graph")
    (source / "Format-Serving" / "variables" / "x").write_bytes(b"1")
    (source / "verification.npz").write_bytes(b"2")
    if not links:

        def refuse(*_):
            raise OSError("no links here")

        monkeypatch.setattr(winner.os, "link", refuse)
    out = tmp_path / "out"
    out.mkdir()
    place_winner(source, out)
    assert tree(out) == tree(source)
    assert (out / "verification.npz").samefile(source / "verification.npz") is links
    with pytest.raises(FailedRunError, match="not empty"):
        place_winner(source, out)
    with pytest.raises(FailedRunError, match="is gone"):
        place_winner(tmp_path / "none", tmp_path / "other")
