"""Every configuration of the examples is valid, and names columns that its data script writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from examples import (
    adding_problem_data,
    atis_data,
    embedded_reber_data,
    reber_data,
    sst2_data,
    taylor_data,
    vowels_data,
)
from examples.grammars import strings_table
from pipeline.config import load
from pipeline.config.config import Config

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEADERS: dict[str, tuple[str, ...]] = {
    "vowels": vowels_data.HEADER,
    "sst2": sst2_data.HEADER,
    "atis": atis_data.HEADER,
    "reber": strings_table.HEADER,
    "embedded_reber": strings_table.HEADER,
    "adding_problem": adding_problem_data.HEADER,
    "taylor": taylor_data.HEADER,
}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_is_a_valid_configuration_called_like_its_file(path: Path) -> None:
    assert load(path).config.name == path.stem


@pytest.mark.parametrize("name", HEADERS)
def test_an_example_names_columns_of_its_data(name: str) -> None:
    config: Any = load(EXAMPLES / f"{name}.yaml").config
    if isinstance(config, Config):
        named = {config.data.time, *config.targets, *config.covariates.past}
    else:
        named = {*config.inputs.columns, config.data.sequence, config.data.step, config.target}
        named |= {config.split.column}
    assert named - {None} <= set(HEADERS[name])


def test_the_blocks_of_the_adding_problem_are_those_of_its_splits() -> None:
    config = load(EXAMPLES / "adding_problem.yaml").forecast
    assert config.window.lookback == adding_problem_data.STEPS
    assert config.window.stride == config.window.span == adding_problem_data.STEPS + 1
    for part, count in adding_problem_data.BLOCKS.items():
        assert getattr(config.split, part) == count * config.window.stride


@pytest.mark.parametrize("script", [reber_data, embedded_reber_data])
def test_the_parts_of_a_grammar_are_those_of_its_split(script: Any) -> None:
    name = script.__name__.rpartition(".")[2].removesuffix("_data")
    config: Any = load(EXAMPLES / f"{name}.yaml").config
    values = [value for part in config.split.values().values() for value in part]
    assert values == list(script.SIZES)
