"""A baseline that is blessed in place of a network that fails the gate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.backtest.champion import Champion, ChampionEntry, enter
from components.backtest.config import GateConfig
from components.backtest.evaluate import evaluate
from components.baselines.forecast import forecast_baselines
from models.baselines.config import BaselinesConfig
from models.windows.spec import WindowSpec
from tests.stores import make_store, scaling_of

NAMES = ("naive", "seasonal_naive", "ar")
LIVE = Champion("7", Path("nowhere"), "d" * 64)
BAD = 9.0
"""Error of a network that no baseline has to fear."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    random = np.random.default_rng(0)
    t = np.arange(300)
    wave = 10 + 3 * np.sin(2 * np.pi * t / 6) + random.normal(size=300)
    store = make_store([("", 0, wave)], WindowSpec(lookback=6, horizon=4), (150, 200, 300))
    config = BaselinesConfig(names=NAMES, season=6)
    stored = forecast_baselines(store, config, tmp_path_factory.mktemp("baselines"))
    return store, replace(stored, refusals={})  # as if all of them had been exported


def near(store, error, seed=1):
    labels = store.view("test").labels()
    noise = np.random.default_rng(seed).normal(size=labels.shape)
    return (labels + error * noise).astype(np.float32)


def run(world, error, entry=None, *, streaming=False, refusals=None, **gate):
    store, stored = world
    return evaluate(
        store,
        near(store, error),
        replace(stored, refusals=refusals or {}),
        entry,
        gate=GateConfig(**gate),
        scaling=scaling_of(store),
        season=6,
        streaming=streaming,
    ).evaluation


def scores(found):
    return {name: found.models[name].mae for name in NAMES}


def test_the_best_baseline_is_blessed_in_place_of_a_bad_network(world):
    found = run(world, BAD)
    best = min(scores(found), key=scores(found).get)
    assert (found.winner, found.verdict.blessed) == (best, True)
    assert found.verdict.summary.startswith(f"Blessed: the baseline {best}, mae ")
    assert "; the network was refused: mae " in found.verdict.summary
    assert any(f"the baseline {best} is blessed in its place" in r for r in found.verdict.reasons)


def test_a_good_network_is_blessed_itself(world):
    found = run(world, 0.1)
    assert (found.winner, found.verdict.blessed) == ("candidate", True)
    assert found.verdict.summary.startswith("Blessed: mae ")


def test_only_the_network_where_that_is_asked_for(world):
    found = run(world, BAD, bless="model")
    assert (found.winner, found.verdict.blessed) == (None, False)
    assert found.verdict.summary.startswith("Not blessed: ")


def test_the_next_best_is_blessed_where_the_best_cannot_be_served(world):
    names = sorted(scores(run(world, BAD)), key=scores(run(world, BAD)).get)
    found = run(world, BAD, refusals={names[0]: "it reads too far back"})
    assert found.winner == names[1]
    assert any("cannot be blessed: it reads too far back" in r for r in found.verdict.reasons)
    none = run(world, BAD, refusals=dict.fromkeys(names, "no"))
    assert (none.winner, none.verdict.blessed) == (None, False)
    assert "no baseline can be blessed in its place" in none.verdict.summary


def test_no_baseline_is_blessed_where_the_served_model_has_to_stream(world):
    found = run(world, BAD, streaming=True)
    assert found.winner is None
    assert any("serving.streaming asks for a model that reads" in r for r in found.verdict.reasons)


def test_a_network_as_good_as_the_best_baseline_gives_way_to_it(world):
    store, stored = world
    found = evaluate(
        store,
        np.array(stored.predictions("ar")),
        stored,
        None,
        gate=GateConfig(beats=("ar",)),
        scaling=scaling_of(store),
        season=6,
    ).evaluation
    assert found.winner == "ar"
    assert "a tie is not a win" in found.verdict.summary


@pytest.mark.parametrize(("error", "blessed"), [(0.01, False), (5.0, True)])
def test_the_baseline_has_to_beat_the_champion(world, error, blessed):
    store = world[0]
    entry = ChampionEntry(LIVE, np.arange(len(store.view("test"))), near(store, error, seed=2))
    found = run(world, BAD, entry)
    assert (found.winner is not None) is blessed
    assert found.verdict.blessed is blessed
    # The gate may leave the champion out.
    assert run(world, BAD, entry, champion=False).winner is not None


def test_the_champion_is_beaten_on_the_windows_it_can_be_scored_on(world):
    store, stored = world
    best = run(world, BAD).winner
    labels, forecasts = store.view("test").labels(), stored.predictions(best)
    losses = np.abs(forecasts - labels).mean(axis=(1, 2))
    # Where the baseline is at its worst, a champion with its overall error is far better.
    index = np.sort(np.argsort(losses)[-20:])
    theirs = (labels + losses.mean()).astype(np.float32)[index]
    assert run(world, BAD, ChampionEntry(LIVE, index, theirs, "compared on 20")).winner is None
    easy = np.sort(np.argsort(losses)[:20])
    theirs = (labels + losses.mean()).astype(np.float32)[easy]
    assert run(world, BAD, ChampionEntry(LIVE, easy, theirs, "compared on 20")).winner == best


def test_a_win_over_the_champion_must_be_significant_where_that_is_asked_for(world):
    store, stored = world
    best = run(world, BAD).winner
    labels, own = store.view("test").labels(), np.array(stored.predictions(best))
    jitter = 1 + 0.02 * np.random.default_rng(3).normal(size=len(own))[:, None, None]
    theirs = (labels + (own - labels) * jitter).astype(np.float32)
    index = np.arange(len(labels))
    if np.abs(theirs - labels).mean() <= np.abs(own - labels).mean():
        theirs = (labels + (own - labels) * (2 - jitter)).astype(np.float32)
    entry = ChampionEntry(LIVE, index, theirs)
    assert run(world, BAD, entry).winner == best
    found = run(world, BAD, entry, significance=0.001)
    assert found.winner is None
    assert "but not significantly" in found.verdict.summary


def test_a_champion_that_is_the_candidate_has_the_candidates_numbers(world):
    entry = ChampionEntry(LIVE, np.zeros(0, np.int64), None, "the same", same_model=True)
    assert run(world, BAD, entry).winner is not None
    # It loses to a baseline that the gate names only by less than the margin: nothing changes.
    found = run(world, BAD, entry, margin=0.95)
    assert found.winner is None


def saved_model(folder, content):
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(content)
    return folder


def test_a_champion_that_is_that_very_baseline_stays(world, tmp_path):
    store, stored = world
    best = run(world, BAD).winner

    class Loaded:
        carries_state = False

        def comparable(self, store):
            return None

        def usable(self, view):
            return np.ones(len(view), bool)

        def predict(self, view, batch_size=1024):
            return np.array(stored.predictions(best))

    live = Champion("7", saved_model(tmp_path / "7", b"two"), "x")
    exported = {
        "naive": saved_model(tmp_path / "naive", b"three"),
        best: saved_model(tmp_path / best, b"two"),
    }
    entry = enter(
        live,
        saved_model(tmp_path / "candidate", b"one"),
        store.view("test"),
        lambda _: Loaded(),
        exported,
    )
    assert entry.same_as == best
    found = run(world, BAD, entry)
    assert (found.winner, found.champion.same_as) == (best, best)
    assert any("is the champion (version 7) already" in r for r in found.verdict.reasons)
    # The same forecasts from another export are a tie, and a tie is not a win.
    again = run(world, BAD, replace(entry, same_as=""))
    assert again.winner is None
    assert "a tie is not a win" in again.verdict.summary
