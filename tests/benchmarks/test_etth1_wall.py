"""The end-to-end comparison: the same task on both sides, and what its clocks mean."""

from __future__ import annotations

from pathlib import Path

import yaml

from benchmarks.etth1_wall.__main__ import COLUMNS, PARTS, UNITS, configuration, seconds_of
from benchmarks.forecasts import EXAMPLES
from pipeline.config import loads


def test_the_run_is_that_of_the_literature_with_all_epochs(tmp_path: Path) -> None:
    text = yaml.safe_dump(configuration(tmp_path, 5, tmp_path / "x.csv"))
    config = loads(text).forecast
    example = yaml.safe_load((EXAMPLES / "etth1_all.yaml").read_text())
    assert (config.train.epochs, config.train.patience) == (5, None)
    assert config.model.units == (UNITS,)
    assert config.model.normalize == "standard"
    assert not config.model.shortcut
    # No gate stands between a network of any worth and its push.
    assert (config.gate.beats, config.gate.bless) == ((), "model")
    written = yaml.safe_load(text)
    for key in ("targets", "split", "window", "task"):
        assert written[key] == example[key]
    assert written["targets"] == COLUMNS


def test_parts_are_taken_from_what_each_side_says() -> None:
    ours = {"seconds": {"run": 30.0, "nodes": {"ingest": 2.0, "train": 20.0}}}
    theirs = {"seconds": {"run": 12.0, "data": 1.0, "training": 10.0, "evaluation": 1.0}}
    assert seconds_of(ours, 45.0) == dict(zip(PARTS, (45.0, 30.0, 20.0), strict=True))
    assert seconds_of(theirs, 14.0) == dict(zip(PARTS, (14.0, 12.0, 10.0), strict=True))
