"""The search space is held against the rest of the file before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import BadInputError
from pipeline.config import dumps, loads

CO2 = (Path(__file__).resolve().parents[3] / "examples" / "co2.yaml").read_text()


def space(*lines: str, head: str = "") -> str:
    """The example with a search space."""
    return (
        CO2
        + f"\ntune:\n  {head or 'max_trials: 3'}\n  space:\n"
        + "".join(f"    {line}\n" for line in lines)
    )


def problems(text: str) -> list[str]:
    with pytest.raises(BadInputError) as error:
        loads(text, path="co2.yaml")
    return str(error.value).splitlines()


GOOD = (
    "model.units: [[32], [64, 64]]",
    "train.learning_rate: {min: 1.0e-4, max: 1.0e-2, scale: log}",
    "window.lookback: {min: 26, max: 156, step: 26}",
    "train.clip: [null, {norm: 1.0}]",
)


def test_a_space_is_read_and_written_back() -> None:
    config = loads(space(*GOOD)).config
    assert config.tune is not None
    assert list(config.tune.space) == [line.split(":")[0] for line in GOOD]
    assert config.tune.tunes_windows
    assert loads(dumps(config)).config == config


def test_a_file_without_a_search_has_the_digests_it_had() -> None:
    without, with_ = loads(CO2).config, loads(space(*GOOD)).config
    assert "tune" not in without.model_dump(mode="json")
    assert "tune" not in without.canonical_json()
    assert with_.digest != without.digest
    assert with_.training_digest != without.training_digest
    assert loads(CO2 + "\ntune: null\n").digest == loads(CO2).digest


@pytest.mark.parametrize(
    ("line", "where", "words"),
    [
        ("model.unit: [[32]]", "model.unit", "did you mean 'units'"),
        ("baselines.season: [52]", "baselines.season", "expected a key under model, train, window"),
        ("model: [1]", "model", "expected a key under model, train, window"),
        ("model.cell: [lstm, gro]", "model.cell", "received gro"),
        ("model.dropout: {min: 0.0, max: 1.0}", "model.dropout", "less than 1"),
        ("window.lookback: {min: 1.5, max: 4}", "window.lookback", "whole numbers"),
        ("model.cell: {min: 1, max: 4}", "model.cell", "takes no numbers"),
        ("train.clip.norm: [1.0]", "train.clip.norm", "exactly one of"),
        ("train.bptt.truncated: [13]", "train.bptt.truncated", "normalize is window"),
        ("window.lookback: {min: 2, maxx: 4}", "window.lookback.maxx", "did you mean 'max'"),
    ],
)
def test_what_no_trial_could_have_is_refused_with_its_line(
    line: str, where: str, words: str
) -> None:
    number = CO2.count("\n") + 5
    found = problems(space(line))
    assert found[0].startswith(f"co2.yaml:{number}: tune.space.{where}: ")
    assert words in found[0]


@pytest.mark.parametrize("key", ["window.horizon", "window.gap", "train.loss", "train.huber_delta"])
def test_what_changes_the_measure_cannot_be_tuned(key: str) -> None:
    [line] = problems(space(f"{key}: [1, 2]"))
    assert f"received '{key}'" in line


def test_two_values_that_do_not_go_together_are_found_before_any_trial() -> None:
    [line] = problems(space("train.epochs: [4, 40]", "train.schedule.warmup: [0.0, 5.0]"))
    assert "does not go with train.epochs: 4" in line


def test_a_rule_between_sections_holds_for_each_value() -> None:
    text = space("window.lookback: [26, 104]") + "\nbaselines: {ar_max_lags: 60}\n"
    [line] = problems(text)
    assert "received 26" in line
    assert "baselines.ar_max_lags" in line


def test_hyperband_chooses_the_epochs_itself() -> None:
    [line] = problems(space("train.epochs: [4, 40]", head="algorithm: hyperband"))
    assert "chooses the epochs itself" in line


def test_tasks_over_whole_sequences_say_plainly_that_they_have_no_search() -> None:
    reber = (Path(__file__).resolve().parents[3] / "examples" / "reber.yaml").read_text()
    [line] = problems(reber + "\ntune: {space: {model.units: [[8], [16]]}}\n")
    assert line.endswith(
        "unknown key 'tune' with task: next_step; not every task has it: remove it"
    )
