from __future__ import annotations

import csv
import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from components.backtest.champion import Champion
from components.sequence_backtest.champion import SequenceChampionEntry, enter
from components.sequence_backtest.config import SequenceGateConfig
from components.sequence_backtest.evaluate import ScoredBaseline, evaluate
from components.sequence_backtest.evaluation import SequenceEvaluation
from components.sequence_backtest.figures import figures
from components.sequence_backtest.record import record
from components.sequence_backtest.write import read, write
from components.tracking.recorder import SilentRecorder, use
from models.errors import BadInputError, FailedRunError
from models.sequences.predictions import SequencePredictions
from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.sequences import make_sequences

LIVE = Champion("7", Path("nowhere"), "d" * 64)
HERE = Path("models")
COLORS = ("blue", "green", "red")


def words(seed, n, label=None):
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        length = int(random.integers(2, 6))
        row = {"word": [f"w{v}" for v in random.integers(0, 6, length)]}
        if label == "one":
            row["y"] = COLORS[random.integers(3)]
        elif label == "each":
            row["y"] = [str(v) for v in random.choice(["B-x", "I-x", "O"], length)]
        rows.append(row)
    return rows


def store_of(task, test=60):
    label = {"classify": "one", "tag": "each", "next_step": None}[task]
    spec = SequenceSpec(
        task=task, inputs=SequenceInputs(symbols=("word",)), target="y" if label else None
    )
    splits = {"train": words(0, 40, label), "validation": words(1, 5, label)}
    return make_sequences(spec, {**splits, "test": words(2, test, label)})


@pytest.fixture(scope="module", params=["classify", "tag", "next_step"])
def store(request):
    return store_of(request.param)


@pytest.fixture(scope="module")
def colors():
    return store_of("classify")


def guesses(store, share, seed=1):
    """A model that knows the class of a `share` of the labels and guesses the others."""
    labels, random = store.view("test").labels(), np.random.default_rng(seed)
    table = random.dirichlet(np.ones(len(store.classes)), len(labels))
    known = random.random(len(labels)) < share
    table[known] = 0.1 / (len(store.classes) - 1)
    table[known, labels[known]] = 0.9
    return SequencePredictions.of(table.astype(np.float32), labels)


def baselines(store, **shares):
    return {n: ScoredBaseline(guesses(store, s, 2), HERE / n) for n, s in shares.items()}


def run(store, candidate, others, entry=None, **gate):
    return evaluate(store, candidate, others, entry, gate=SequenceGateConfig(**gate))


def test_a_good_network_is_blessed_and_every_number_is_that_of_its_labels(store):
    mine, others = guesses(store, 0.9), baselines(store, majority=0.2, hmm=0.5)
    found = run(store, mine, others).evaluation
    assert found.verdict.blessed
    assert found.winner == "candidate"
    assert list(found.models) == ["candidate", "majority", "hmm"]
    assert found.best_baseline == "hmm"
    view, labels = store.view("test"), store.view("test").labels()
    assert (found.sequences, found.labels) == (len(view), len(labels))
    assert found.metric == ("perplexity" if store.spec.task == "next_step" else "accuracy")
    assert found.higher_is_better == (found.metric == "accuracy")
    for name, predictions in [("candidate", mine), ("hmm", others["hmm"].predictions)]:
        scores = found.models[name]
        assert scores.accuracy == metrics.accuracy_score(labels, predictions.predicted)
        assert scores.log_loss == pytest.approx(-np.log(predictions.probability).mean(), rel=1e-5)
        assert scores.perplexity == pytest.approx(math.exp(scores.log_loss))
        assert (scores.span_f1 is None) == (store.spec.task != "tag")
        assert sum(found.reliability[name].count) == len(labels)
        counts = np.array(found.confusion[name].counts)
        assert counts.sum() == len(labels)
        assert np.trace(counts) / len(labels) == pytest.approx(scores.accuracy)
    report = metrics.classification_report(
        labels,
        mine.predicted,
        labels=range(len(store.classes)),
        target_names=store.classes,
        output_dict=True,
        zero_division=np.nan,
    )
    for name, row in found.per_class.items():
        assert row.support == report[name]["support"]
        if row.f1 is not None:
            assert row.f1 == pytest.approx(report[name]["f1-score"])
    (text,) = {found.verdict.summary}
    assert text.startswith(f"Blessed: {found.metric} ")
    assert text.endswith(f"on {len(view)} test sequences.")
    assert all(c.p_better < 0.05 for c in found.comparisons)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "log_loss", "perplexity"])
def test_every_metric_can_decide_in_its_direction(store, metric):
    good, poor = guesses(store, 0.9), guesses(store, 0.1)
    for mine, other, passed in ((good, poor, True), (poor, good, False)):
        others = {"hmm": ScoredBaseline(other, HERE)}
        found = run(store, mine, others, metric=metric, bless="model").evaluation
        assert found.verdict.blessed is passed
        word = {True: "above", False: "below"}[found.higher_is_better]
        text = f"{metric} {getattr(found.models['candidate'], metric):.4g} is "
        assert found.verdict.reasons[0].startswith(text)
        assert f" {word} hmm " in found.verdict.reasons[0]
        (test,) = found.comparisons
        assert (test.p_better < 0.01) is passed
        assert (test.difference > 0) is (passed == found.higher_is_better)


def test_the_best_baseline_is_blessed_where_the_network_fails_and_the_summary_says_so(colors):
    others = baselines(colors, majority=0.1, naive_bayes=0.8, hmm=0.5)
    found = run(colors, guesses(colors, 0.6), others).evaluation
    mine, best = found.models["candidate"].accuracy, found.models["naive_bayes"].accuracy
    assert found.winner == "naive_bayes"
    assert found.verdict.blessed
    assert found.verdict.summary == (
        f"Blessed: the baseline naive_bayes, accuracy {best:.4g} on 60 test sequences; the network "
        f"was refused: accuracy {mine:.4g} is not above naive_bayes {best:.4g}."
    )
    assert found.verdict.reasons[-1].startswith("the baseline naive_bayes is blessed in its place")


def test_with_bless_model_nothing_stands_in_for_the_network(colors):
    found = run(colors, guesses(colors, 0.3), baselines(colors, hmm=0.9), bless="model").evaluation
    assert not found.verdict.blessed
    assert found.winner is None
    assert found.verdict.summary.startswith("Not blessed: accuracy ")


def test_a_network_as_good_as_a_baseline_is_refused(store):
    same = guesses(store, 0.6)
    found = run(store, same, {"hmm": ScoredBaseline(same, HERE)}).evaluation
    assert found.winner == "hmm"
    assert "a tie is not a win" in found.verdict.summary
    (test,) = found.comparisons
    assert (test.p_better, test.differing) == (1, 0)


def test_a_baseline_that_cannot_be_served_makes_way_for_the_next(colors):
    others = baselines(colors, majority=0.1, naive_bayes=0.8, hmm=0.6)
    others["naive_bayes"] = ScoredBaseline(others["naive_bayes"].predictions, None, "it is broken")
    found = run(colors, guesses(colors, 0.2), others).evaluation
    assert found.winner == "hmm"
    assert any("it is broken" in reason for reason in found.verdict.reasons)


def test_the_summary_lists_all_that_were_beaten(colors):
    others = baselines(colors, majority=0.1, naive_bayes=0.4, hmm=0.5)
    found = run(colors, guesses(colors, 0.95), others).evaluation
    values = {name: f"{name} {scores.accuracy:.4g}" for name, scores in found.models.items()}
    listed = f"{values['majority']}, {values['naive_bayes']} and {values['hmm']}"
    assert f" beats {listed} on 60 test sequences." in found.verdict.summary


def test_only_the_named_baselines_are_to_be_beaten(colors):
    others = baselines(colors, majority=0.1, hmm=0.9)
    assert run(colors, guesses(colors, 0.5), others).evaluation.winner == "hmm"
    found = run(colors, guesses(colors, 0.5), others, beats=("majority",)).evaluation
    assert found.winner == "candidate"
    alone = run(colors, guesses(colors, 0.5), others, beats=()).evaluation
    assert "nothing to beat" in alone.verdict.summary
    with pytest.raises(BadInputError, match=r"gate\.beats names \['naive_bayes'\]"):
        run(colors, guesses(colors, 0.5), others, beats=("naive_bayes",))


def test_a_margin_is_a_share_of_the_errors(colors):
    mine, other = guesses(colors, 0.9), guesses(colors, 0.6)
    others = {"hmm": ScoredBaseline(other, HERE)}
    found = run(colors, mine, others).evaluation
    errors = [1 - found.models[n].accuracy for n in ("candidate", "hmm")]
    saved = 1 - errors[0] / errors[1]
    assert run(colors, mine, others, margin=saved - 0.01).evaluation.winner == "candidate"
    assert run(colors, mine, others, margin=saved + 0.01).evaluation.winner == "hmm"


def test_significance_is_asked_for_where_configured(colors):
    labels = colors.view("test").labels()
    close = guesses(colors, 0.6)
    better = close.predicted.copy()
    wrong = np.flatnonzero(better != labels)[:2]
    better[wrong] = labels[wrong]
    mine = SequencePredictions(better, close.probability, close.confidence)
    others = {"hmm": ScoredBaseline(close, HERE)}
    assert run(colors, mine, others).evaluation.winner == "candidate"
    found = run(colors, mine, others, significance=0.05).evaluation
    # Two sequences in favour, none against: 1/4.
    assert found.comparisons[0].p_better == 0.25
    assert "p 0.25 is not below 0.05" in found.verdict.reasons[0]


def test_a_network_without_numbers_is_never_blessed(store):
    mine, others = guesses(store, 1.0), baselines(store, majority=0.0)
    spoilt = SequencePredictions(mine.predicted, mine.probability.copy(), mine.confidence.copy())
    spoilt.probability[3] = spoilt.confidence[3] = np.nan
    found = run(store, spoilt, others).evaluation
    assert found.winner == "majority"
    assert "the candidate gave no number for 1 label" in found.verdict.summary
    assert json.loads(found.model_dump_json())["models"]["candidate"]["log_loss"] is None
    broken = {"majority": ScoredBaseline(spoilt, HERE)}
    assert run(store, guesses(store, 0.0), broken).evaluation.winner is None


def test_labels_of_new_classes_are_wrong_and_counted():
    spec = SequenceSpec(task="classify", inputs=SequenceInputs(symbols=("word",)), target="y")
    test = [{"word": ["a"], "y": y} for y in ("blue", "pink", "red", "pink")]
    store = make_sequences(spec, {"train": words(0, 40, "one"), "test": test})
    found = run(store, guesses(store, 1.0), {}).evaluation
    assert found.unknown_labels == 2
    assert found.models["candidate"].accuracy == 0.5
    assert found.models["candidate"].log_loss == pytest.approx(-math.log(0.9), rel=1e-5)
    assert found.confusion["candidate"].names[-1] == "(unknown)"


def test_a_champion_blocks_what_is_not_better(colors):
    others = baselines(colors, majority=0.1, hmm=0.5)
    entry = SequenceChampionEntry(LIVE, guesses(colors, 0.8, 5))
    better = run(colors, guesses(colors, 0.95), others, entry).evaluation
    assert better.winner == "candidate"
    assert "the champion (version 7)" in better.verdict.summary
    worse = run(colors, guesses(colors, 0.6), others, entry).evaluation
    assert worse.winner is None
    assert "is not above the champion (version 7)" in worse.verdict.summary
    assert "champion" in worse.models
    assert worse.champion.compared
    ignored = run(colors, guesses(colors, 0.6), others, entry, champion=False).evaluation
    assert ignored.winner == "candidate"


def test_a_baseline_has_to_beat_the_champion_too(colors):
    others = baselines(colors, naive_bayes=0.7)
    poor = guesses(colors, 0.3)
    for share, winner in ((0.4, "naive_bayes"), (0.9, None)):
        entry = SequenceChampionEntry(LIVE, guesses(colors, share, 5))
        assert run(colors, poor, others, entry).evaluation.winner == winner
    same = SequenceChampionEntry(LIVE, others["naive_bayes"].predictions, same_as="naive_bayes")
    found = run(colors, poor, others, same).evaluation
    assert found.winner == "naive_bayes"
    assert "it is the champion (version 7) already" in " ".join(found.verdict.reasons)


def test_a_baseline_that_beats_the_champion_by_accident_is_not_blessed(colors):
    labels = colors.view("test").labels()
    close = guesses(colors, 0.6)
    predicted = close.predicted.copy()
    wrong = np.flatnonzero(predicted != labels)[:2]
    predicted[wrong] = labels[wrong]
    better = SequencePredictions(predicted, close.probability, close.confidence)
    entry, others = SequenceChampionEntry(LIVE, close), {"hmm": ScoredBaseline(better, HERE)}
    poor = guesses(colors, 0.1)
    assert run(colors, poor, others, entry).evaluation.winner == "hmm"
    found = run(colors, poor, others, entry, significance=0.05).evaluation
    assert found.winner is None
    assert "but not significantly: p 0.25 is not below 0.05" in found.verdict.summary


@pytest.mark.parametrize(("share", "winner"), [(0.9, "candidate"), (0.3, "hmm")])
def test_a_network_that_is_the_champion_has_to_beat_the_baselines_only(colors, share, winner):
    reason = "the candidate is the champion already (version 7)"
    entry = SequenceChampionEntry(LIVE, None, reason, "candidate")
    found = run(colors, guesses(colors, share), baselines(colors, hmm=0.6), entry).evaluation
    assert found.winner == winner
    assert found.champion.same_model
    assert found.verdict.summary.endswith(f"{reason}.")


def test_a_champion_that_was_not_scored_is_told_and_does_not_block(colors):
    entry = SequenceChampionEntry(LIVE, None, "its task is tag, that of these sequences classify")
    found = run(colors, guesses(colors, 0.9), baselines(colors, hmm=0.5), entry).evaluation
    assert found.verdict.blessed
    assert not found.champion.compared
    assert f"the champion (version 7) was not compared: {entry.reason}" in found.verdict.reasons


def test_predictions_of_other_sequences_are_refused(colors):
    mine = guesses(colors, 0.9)
    short = SequencePredictions(mine.predicted[1:], mine.probability[1:], mine.confidence[1:])
    with pytest.raises(FailedRunError, match="predictions of hmm"):
        run(colors, mine, {"hmm": ScoredBaseline(short)})


def test_without_test_sequences_nothing_is_scored():
    store = store_of("classify", test=0)
    none = SequencePredictions(np.zeros(0, np.int32), *np.zeros((2, 0), np.float32))
    with pytest.raises(BadInputError, match="no test sequence"):
        run(store, none, {})


def test_files_say_the_same_as_the_evaluation(store, tmp_path):
    backtest = run(store, guesses(store, 0.7), baselines(store, hmm=0.5))
    write(backtest, tmp_path / "out")
    assert read(tmp_path / "out") == backtest.evaluation
    assert SequenceEvaluation.from_json(backtest.evaluation.canonical_json())
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["evaluation.json", "per_class.csv"]
    rows = list(csv.DictReader((tmp_path / "out" / "per_class.csv").open()))
    mine = {row["class"]: row for row in rows if row["model"] == "candidate"}
    for name, row in backtest.evaluation.per_class.items():
        if row.support or row.predicted:
            assert int(mine[name]["support"]) == row.support
            assert mine[name]["recall"] == ("" if row.recall is None else repr(row.recall))
    with pytest.raises(FailedRunError):
        read(tmp_path)


class Notes(SilentRecorder):
    def __init__(self):
        self.values, self.figures, self.tagged, self.warned, self.kept = {}, {}, {}, [], {}

    def metrics(self, values, step=None):
        self.values.update(values)

    def figure(self, figure, path):
        self.figures[path] = figure

    def tags(self, values):
        self.tagged.update(values)

    def data(self, values, path):
        self.kept[path] = values

    def warn(self, text):
        self.warned.append(text)


def test_the_recorder_hears_of_everything(colors, tmp_path):
    entry = SequenceChampionEntry(LIVE, guesses(colors, 0.6, 5))
    found = run(colors, guesses(colors, 0.9), baselines(colors, hmm=0.5), entry).evaluation
    notes = Notes()
    with use(notes):
        record(found)
    assert notes.values["test_accuracy"] == found.models["candidate"].accuracy
    assert notes.values["baseline_hmm_log_loss"] == found.models["hmm"].log_loss
    assert notes.values["champion_macro_f1"] == found.models["champion"].macro_f1
    assert notes.values["test_sequences"] == found.sequences
    assert notes.tagged == {
        "verdict": found.verdict.summary,
        "blessed": "true",
        "winner": "candidate",
        "champion_version": "7",
    }
    assert notes.kept["evaluation.json"]["winner"] == "candidate"
    assert not notes.warned
    assert set(notes.figures) == {
        f"figures/{n}.png"
        for n in ("confusion", "confusion_best_baseline", "models", "reliability")
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path, figure in notes.figures.items():
            file = tmp_path / Path(path).name
            figure.savefig(file)
            assert file.stat().st_size > 5000
    bars = notes.figures["figures/models.png"].axes[0]
    on_top = [label.get_text() for label in bars.get_yticklabels()][-1]
    assert on_top == "candidate"


def test_names_that_no_font_has_are_drawn_without_a_word(tmp_path):
    names = ("漢字", "$\\frac$", "\n", "a" * 99)
    spec = SequenceSpec(task="classify", inputs=SequenceInputs(symbols=("word",)), target="y")
    rows = [{"word": ["a"], "y": name} for name in names]
    store = make_sequences(spec, {"train": rows, "test": rows})
    found = run(store, guesses(store, 1.0), {}).evaluation
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = dict(figures(found))["figures/confusion.png"]
        drawn.savefig(tmp_path / "confusion.png")
    labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert sorted(map(len, labels)) == [1, 2, 9, 24]


class Fake:
    def __init__(self, reason=None, error=None, gap=False):
        self.reason, self.error, self.gap = reason, error, gap

    def comparable(self, store):
        return self.reason

    def predict(self, view, batch_size=256):
        if self.error:
            raise self.error
        found = guesses(view.store, 0.5)
        if self.gap:
            found.confidence[3] = np.nan
        return found


def saved_model(folder, content):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(content)
    return folder


def test_how_a_champion_enters(colors, tmp_path):
    view = colors.view("test")
    exported = {
        "candidate": saved_model(tmp_path / "candidate", b"one"),
        "hmm": saved_model(tmp_path / "hmm", b"two"),
    }

    def entered(fake, content=b"three", name="7"):
        path = tmp_path / name
        live = Champion("7", path if path.exists() else saved_model(path, content), "x")
        return enter(live, exported, view, lambda _: fake)

    scored = entered(Fake())
    np.testing.assert_array_equal(scored.predictions.predicted, guesses(colors, 0.5).predicted)
    assert (scored.reason, scored.same_as) == ("", "")
    for fake, text in (
        (Fake(reason="its task is tag"), "its task is tag"),
        (Fake(error=RuntimeError("broken\ngraph")), "it failed: RuntimeError: broken"),
        (Fake(gap=True), "it gave no number for some of the labels"),
    ):
        entry = entered(fake)
        assert entry.predictions is None
        assert entry.reason == text
    baseline = entered(Fake(), b"two", "8")
    assert (baseline.same_as, baseline.same_model) == ("hmm", False)
    assert baseline.predictions is not None
    same = entered(Fake(), b"one", "9")
    assert same.same_model
    assert same.predictions is None
    gone = enter(Champion("7", tmp_path / "gone", "x"), exported, view, lambda _: Fake())
    assert "is gone" in gone.reason
